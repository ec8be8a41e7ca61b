# Network and not application load balancers. Before ECS sends SIGTERM it takes the node out of the target group and waits
# for the deregistration delay; an application load balancer cuts all WebSockets at its end, all at once. A network load
# balancer can leave open connections alone, so that the node closes them itself, in waves. Idle connections are cut after
# 350 s of silence; polls (25 s) and pings (15 s) are shorter.

resource "aws_lb" "clients" {
  name_prefix                      = "sbox-c"
  load_balancer_type               = "network"
  internal                         = false
  subnets                          = var.public_subnet_ids
  security_groups                  = [aws_security_group.clients.id]
  enable_cross_zone_load_balancing = true
}

resource "aws_lb" "apps" {
  name_prefix                      = "sbox-a"
  load_balancer_type               = "network"
  internal                         = true
  subnets                          = var.private_subnet_ids
  security_groups                  = [aws_security_group.apps.id]
  enable_cross_zone_load_balancing = true
}

resource "aws_lb_target_group" "nodes" {
  for_each    = toset(["clients", "apps"])
  name_prefix = "sbox-${substr(each.key, 0, 1)}"
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "TCP"
  port        = local.ports[each.key]

  # New connections go elsewhere at once; SIGTERM comes after this delay.
  deregistration_delay   = 10
  connection_termination = false

  # Any connection may go to any node.
  stickiness {
    enabled = false
    type    = "source_ip"
  }

  # Of a node that is not ready its clients stay connected: all nodes lose Redis together.
  target_health_state {
    enable_unhealthy_connection_termination = false
  }

  health_check {
    protocol            = "HTTP"
    port                = local.ports.admin
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  lifecycle { create_before_destroy = true }
}

resource "aws_lb_listener" "clients" {
  load_balancer_arn = aws_lb.clients.arn
  port              = 443
  protocol          = "TLS"
  certificate_arn   = var.certificate_arn
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.nodes["clients"].arn
  }
}

resource "aws_lb_listener" "apps" {
  load_balancer_arn = aws_lb.apps.arn
  port              = 80
  protocol          = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.nodes["apps"].arn
  }
}
