# In either form: TLS, a password, a replica in another zone, and fail-over by itself.

resource "aws_elasticache_subnet_group" "redis" {
  name       = "${var.name}-redis"
  subnet_ids = var.private_subnet_ids
}

# What gateway/docs/operations.md asks of Redis. A node cannot read it here, for CONFIG is forbidden.
resource "aws_elasticache_parameter_group" "redis" {
  name   = "${var.name}-redis${var.redis_cluster ? "-cluster" : ""}"
  family = "redis7"

  parameter {
    name  = "cluster-enabled"
    value = var.redis_cluster ? "yes" : "no"
  }
  # Leases and standing groups must not be evicted.
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
  # A node that is owed more is cut off: 32 MB at once, 8 MB for 60 s.
  parameter {
    name  = "client-output-buffer-limit-pubsub-hard-limit"
    value = "33554432"
  }
  parameter {
    name  = "client-output-buffer-limit-pubsub-soft-limit"
    value = "8388608"
  }
  parameter {
    name  = "client-output-buffer-limit-pubsub-soft-seconds"
    value = "60"
  }

  lifecycle { create_before_destroy = true }
}

# Without special characters: it stands in a URL.
resource "random_password" "redis" {
  length  = 64
  special = false
}

resource "aws_elasticache_replication_group" "redis" {
  replication_group_id = "${var.name}-redis${var.redis_cluster ? "-cluster" : ""}"
  description          = "Backplane of ${var.name}"
  engine               = "redis"
  engine_version       = "7.1"
  node_type            = var.redis_node_type
  port                 = local.redis_port
  parameter_group_name = aws_elasticache_parameter_group.redis.name
  subnet_group_name    = aws_elasticache_subnet_group.redis.name
  security_group_ids   = [aws_security_group.redis.id]

  # A cluster counts shards and the replicas of each, the other form all nodes.
  num_node_groups         = var.redis_cluster ? var.redis_shards : null
  replicas_per_node_group = var.redis_cluster ? 1 : null
  num_cache_clusters      = var.redis_cluster ? null : 2

  automatic_failover_enabled = true
  multi_az_enabled           = true
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  auth_token                 = random_password.redis.result
  apply_immediately          = false
}

locals {
  # One host is enough of a cluster: it tells of the others. A fail-over of the other form moves the name.
  redis_form = var.redis_cluster ? "rediss+cluster" : "rediss"
  redis_host = var.redis_cluster ? aws_elasticache_replication_group.redis.configuration_endpoint_address : aws_elasticache_replication_group.redis.primary_endpoint_address
  redis_url  = "${local.redis_form}://:${random_password.redis.result}@${local.redis_host}:${local.redis_port}"
}
