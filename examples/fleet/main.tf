# Several servers on one machine, one for each member of a household, all bound
# to one account. Change `generation` to give all of them new tokens.

terraform {
  required_version = ">= 1.11"

  required_providers {
    plex = {
      source = "homelab-iac/plex"
    }
  }
}

provider "plex" {} # account_token comes from PLEX_TOKEN

variable "generation" {
  type        = number
  default     = 1
  description = "Any number; a change rebinds every server."
}

locals {
  servers = {
    den   = 32400
    attic = 32500
    kids  = 32600
  }
}

resource "plex_server_account_binding" "all" {
  for_each = local.servers

  server = {
    service = { name = "plexmediaserver-${each.key}.service" }
    url     = "http://127.0.0.1:${each.value}"
  }

  account  = "me@example.com"
  triggers = { generation = var.generation }
}

output "bindings" {
  value = {
    for name, binding in plex_server_account_binding.all : name => {
      id     = binding.id
      owner  = binding.username
      status = binding.status
      backup = binding.last_backup
    }
  }
}
