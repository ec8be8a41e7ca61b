locals {
  settings = merge({
    PORT                      = local.ports.clients
    SIGNALBOX_HOST            = "0.0.0.0"
    SIGNALBOX_APP_PORT        = local.ports.apps
    SIGNALBOX_APP_HOST        = "0.0.0.0"
    SIGNALBOX_ADMIN_PORT      = local.ports.admin
    SIGNALBOX_ADMIN_HOST      = "0.0.0.0"
    SIGNALBOX_DRAIN_MS        = var.drain_seconds * 1000
    SIGNALBOX_MAX_CONNECTIONS = 60000 # Fargate gives a task 65,535 files
  }, var.settings)
}

resource "aws_cloudwatch_log_group" "nodes" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_cluster" "nodes" {
  name = var.name
}

resource "aws_ecs_task_definition" "node" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  # One node is one process on one core.
  cpu                = 1024
  memory             = 2048
  execution_role_arn = aws_iam_role.start.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  container_definitions = jsonencode([{
    name                   = "gateway"
    image                  = var.image
    essential              = true
    readonlyRootFilesystem = true
    # Fargate's most is 120. Longer than the drain, or its clients are cut instead of closed.
    stopTimeout  = var.drain_seconds + 10
    portMappings = [for port in values(local.ports) : { containerPort = port, protocol = "tcp" }]
    environment  = [for name, value in local.settings : { name = name, value = tostring(value) }]
    secrets      = [for name, secret in aws_secretsmanager_secret.gateway : { name = name, valueFrom = secret.arn }]
    ulimits      = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    healthCheck = {
      command     = ["CMD", "node", "docker/healthcheck.js"]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 20
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.nodes.name
        awslogs-region        = data.aws_region.current.name
        awslogs-stream-prefix = "node"
      }
    }
  }])

  # A node that starts reads them.
  depends_on = [aws_secretsmanager_secret_version.gateway]
}

resource "aws_ecs_service" "nodes" {
  name            = var.name
  cluster         = aws_ecs_cluster.nodes.id
  task_definition = aws_ecs_task_definition.node.arn
  desired_count   = var.min_nodes
  launch_type     = "FARGATE"

  # New nodes first, then the old ones end. What cannot start is rolled back.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 150
  health_check_grace_period_seconds  = 30
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [aws_security_group.nodes.id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = aws_lb_target_group.nodes
    content {
      target_group_arn = load_balancer.value.arn
      container_name   = "gateway"
      container_port   = local.ports[load_balancer.key]
    }
  }

  lifecycle {
    ignore_changes = [desired_count] # the autoscaler's
  }
  depends_on = [aws_lb_listener.clients, aws_lb_listener.apps]
}

resource "aws_appautoscaling_target" "nodes" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.nodes.name}/${aws_ecs_service.nodes.name}"
  min_capacity       = var.min_nodes
  max_capacity       = var.max_nodes
}

# By the processor, which counts deliveries and not only connections. Each node that goes sends its clients to the others:
# down is slow.
resource "aws_appautoscaling_policy" "nodes" {
  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.nodes.service_namespace
  scalable_dimension = aws_appautoscaling_target.nodes.scalable_dimension
  resource_id        = aws_appautoscaling_target.nodes.resource_id
  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 600
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
