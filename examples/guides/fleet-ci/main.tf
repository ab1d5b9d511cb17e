terraform {
  required_version = ">= 1.11"

  required_providers {
    plex = {
      source = "homelab-iac/plex"
    }
  }
}

variable "plex_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "ssh_private_key" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "reset" {
  type        = string
  default     = "never"
  description = "Any text, such as a date. A change gives every server a new token."
}

provider "plex" {
  account_token = var.plex_token

  ssh = {
    user             = "plex-reset"
    private_key      = var.ssh_private_key
    known_hosts_path = "${path.module}/known_hosts" # in the repository: public keys are no secrets
  }
}

locals {
  hosts = toset([
    "plex-01.example.com",
    "plex-02.example.com",
    "plex-03.example.com",
  ])
}

resource "plex_server_account_binding" "fleet" {
  for_each = local.hosts

  server = {
    ssh          = { host = each.key }
    become       = true
    stop_timeout = "3m"
  }

  account      = "me@example.com"
  force_rebind = true
  triggers     = { reset = var.reset }
}

output "not_bound" {
  description = "Servers that are not bound as they should be."
  value       = [for name, b in plex_server_account_binding.fleet : "${name}: ${b.status}" if b.status != "bound"]
}
