variable "name" {
  description = "Begins the name of everything that is made."
  type        = string
  default     = "matinee"
}

variable "media_bucket" {
  description = "The bucket of MATINEE_S3_MEDIA_BUCKET."
  type        = string
}

variable "page_origins" {
  description = "Pages that may read media, as exact origins (MATINEE_CORS_ORIGINS)."
  type        = list(string)
}

variable "steering_url" {
  description = "Public base of the API (MATINEE_STEERING_URL), where players ask which of several edges to play from; empty where this is the only one."
  type        = string
  default     = ""
}

variable "domain" {
  description = "The host of MATINEE_DELIVERY_URL; null takes CloudFront's own name."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "An ACM certificate of us-east-1 for the domain; needed with one, and for TLS 1.2 as the least."
  type        = string
  default     = null
}

variable "shield_region" {
  description = "A region near the bucket whose cache stands before it, so that it is asked once; null for none."
  type        = string
  default     = null
}

variable "price_class" {
  description = "Where in the world viewers are served from."
  type        = string
  default     = "PriceClass_100"
}
