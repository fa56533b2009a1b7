output "delivery_url" {
  description = "MATINEE_DELIVERY_URL of the API."
  value       = "https://${coalesce(var.domain, aws_cloudfront_distribution.edge.domain_name)}"
}

output "key_value_store_arn" {
  description = "MATINEE_CLOUDFRONT_KVS_ARN of infra/cloudfront/main.ts."
  value       = aws_cloudfront_key_value_store.grants.arn
}
