# Gateway nodes on ECS Fargate between two network load balancers, joined by an ElastiCache replication group with TLS. The
# VPC, its subnets, the certificate and the image are there already. How to use it: ../README.md, "AWS".
terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.6"
    }
  }
}

data "aws_region" "current" {}

locals {
  # As the gateway listens in its container.
  ports = {
    clients = 8080
    apps    = 8081
    admin   = 9090
  }
  redis_port = 6379
}
