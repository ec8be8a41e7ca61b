output "clients" {
  description = "Where the name of the certificate has to lead."
  value       = aws_lb.clients.dns_name
}

output "apps" {
  description = "ServerEndpoint of the connection string of apps."
  value       = "http://${aws_lb.apps.dns_name}"
}

output "access_key_secret" {
  description = "Holds the AccessKey of that connection string."
  value       = aws_secretsmanager_secret.gateway["SIGNALBOX_ACCESS_KEY"].arn
}
