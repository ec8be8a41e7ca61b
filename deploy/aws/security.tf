# Who may talk to whom. Everything not named here is refused.

resource "aws_security_group" "clients" {
  name_prefix = "${var.name}-clients-"
  description = "Load balancer of clients"
  vpc_id      = var.vpc_id
  lifecycle { create_before_destroy = true }
}

resource "aws_security_group" "apps" {
  name_prefix = "${var.name}-apps-"
  description = "Load balancer of apps"
  vpc_id      = var.vpc_id
  lifecycle { create_before_destroy = true }
}

resource "aws_security_group" "nodes" {
  name_prefix = "${var.name}-nodes-"
  description = "Gateway nodes"
  vpc_id      = var.vpc_id
  lifecycle { create_before_destroy = true }
}

resource "aws_security_group" "redis" {
  name_prefix = "${var.name}-redis-"
  description = "Redis"
  vpc_id      = var.vpc_id
  lifecycle { create_before_destroy = true }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  description       = "Clients, from everywhere"
  security_group_id = aws_security_group.clients.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "apps" {
  for_each                     = toset(var.app_security_group_ids)
  description                  = "Apps"
  security_group_id            = aws_security_group.apps.id
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
}

locals {
  # From which group to which port of the nodes.
  ways = {
    clients       = { group = aws_security_group.clients.id, port = local.ports.clients }
    clients_admin = { group = aws_security_group.clients.id, port = local.ports.admin }
    apps          = { group = aws_security_group.apps.id, port = local.ports.apps }
    apps_admin    = { group = aws_security_group.apps.id, port = local.ports.admin }
  }
}

resource "aws_vpc_security_group_egress_rule" "balancers" {
  for_each                     = local.ways
  description                  = "Nodes and their health"
  security_group_id            = each.value.group
  referenced_security_group_id = aws_security_group.nodes.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  for_each                     = local.ways
  description                  = "Load balancers and their health checks"
  security_group_id            = aws_security_group.nodes.id
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "monitoring" {
  for_each                     = toset(var.monitoring_security_group_ids)
  description                  = "Prometheus"
  security_group_id            = aws_security_group.nodes.id
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = local.ports.admin
  to_port                      = local.ports.admin
}

resource "aws_vpc_security_group_egress_rule" "nodes_redis" {
  description                  = "Redis"
  security_group_id            = aws_security_group.nodes.id
  referenced_security_group_id = aws_security_group.redis.id
  ip_protocol                  = "tcp"
  from_port                    = local.redis_port
  to_port                      = local.redis_port
}

resource "aws_vpc_security_group_egress_rule" "nodes_https" {
  description       = "Registry, Secrets Manager, CloudWatch, and webhooks of serverless hubs"
  security_group_id = aws_security_group.nodes.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "redis" {
  description                  = "Nodes"
  security_group_id            = aws_security_group.redis.id
  referenced_security_group_id = aws_security_group.nodes.id
  ip_protocol                  = "tcp"
  from_port                    = local.redis_port
  to_port                      = local.redis_port
}
