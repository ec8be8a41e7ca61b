variable "name" {
  description = "Of the service, and the beginning of the name of everything here."
  type        = string
  default     = "signalbox"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "name must be 1 to 20 lower-case letters, digits and dashes, a letter first."
  }
}

variable "image" {
  description = "Image of the gateway, built from deploy/Dockerfile for the architecture of var.architecture, with its tag or digest."
  type        = string
}

variable "architecture" {
  description = "X86_64 or ARM64."
  type        = string
  default     = "X86_64"
}

variable "vpc_id" {
  description = "Where all of this stands."
  type        = string
}

variable "public_subnet_ids" {
  description = "For the load balancer of clients; two zones at least."
  type        = list(string)
}

variable "private_subnet_ids" {
  description = "For nodes, Redis and the load balancer of apps; two zones at least, with a way to the registry, Secrets Manager and CloudWatch."
  type        = list(string)
}

variable "certificate_arn" {
  description = "Of the name that clients connect to."
  type        = string
}

variable "app_security_group_ids" {
  description = "Security groups of your apps. Nobody else reaches /api/ and /server/."
  type        = list(string)
}

variable "monitoring_security_group_ids" {
  description = "Security groups of Prometheus. Nobody else but the load balancers reaches the admin port."
  type        = list(string)
  default     = []
}

variable "min_nodes" {
  description = "Nodes at least."
  type        = number
  default     = 2
}

variable "max_nodes" {
  description = "Nodes at most."
  type        = number
  default     = 10
}

variable "drain_seconds" {
  description = "How long a node that ends may take to close its clients in waves."
  type        = number
  default     = 90
  validation {
    condition     = var.drain_seconds >= 1 && var.drain_seconds <= 110
    error_message = "drain_seconds must be 1 to 110: Fargate kills 120 s after SIGTERM."
  }
}

variable "redis_cluster" {
  description = "Redis as a cluster of var.redis_shards shards; false: one primary with a replica. Changing it makes a new Redis."
  type        = bool
  default     = false
}

variable "redis_shards" {
  description = "Shards of the cluster. All topics of one hub are on one of them."
  type        = number
  default     = 2
}

variable "redis_node_type" {
  description = "Of each Redis node. The network counts, memory hardly does."
  type        = string
  default     = "cache.m7g.large"
}

variable "settings" {
  description = "More settings of the gateway by their names: gateway/docs/configuration.md."
  type        = map(string)
  default     = {}
}

variable "log_retention_days" {
  description = "How long the log of the nodes is kept."
  type        = number
  default     = 30
}
