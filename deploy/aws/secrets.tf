# What a node is given by Secrets Manager, by the name of its setting. All of it stands in the state of Terraform too: keep
# that encrypted and to yourself.

resource "random_password" "access_key" {
  length  = 64
  special = false
}

locals {
  secrets = {
    SIGNALBOX_ACCESS_KEY = random_password.access_key.result
    REDIS_URL            = local.redis_url
  }
}

resource "aws_secretsmanager_secret" "gateway" {
  for_each    = toset(["SIGNALBOX_ACCESS_KEY", "REDIS_URL"])
  name_prefix = "${var.name}/${each.key}-"
}

resource "aws_secretsmanager_secret_version" "gateway" {
  for_each      = aws_secretsmanager_secret.gateway
  secret_id     = each.value.id
  secret_string = local.secrets[each.key]
}

data "aws_iam_policy_document" "start" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [for secret in aws_secretsmanager_secret.gateway : secret.arn]
  }
}

# Of ECS when it starts a node. A node itself has no role: it asks nothing of AWS.
resource "aws_iam_role" "start" {
  name_prefix        = "${var.name}-start-"
  assume_role_policy = data.aws_iam_policy_document.start.json
}

resource "aws_iam_role_policy_attachment" "start" {
  role       = aws_iam_role.start.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "secrets" {
  name_prefix = "secrets-"
  role        = aws_iam_role.start.id
  policy      = data.aws_iam_policy_document.secrets.json
}
