terraform {
  required_version = ">= 1.11"

  required_providers {
    plex = {
      source = "homelab-iac/plex"
    }
  }
}

provider "plex" { # account_token comes from PLEX_TOKEN
  ssh = {
    user = "admin"
  }

  become = {
    password = var.nas_password
  }
}

# The password of the user who logs in: sudo on DSM asks for it.
variable "nas_password" {
  type      = string
  sensitive = true
  ephemeral = true
}

resource "plex_server_account_binding" "nas" {
  server = {
    ssh    = { host = "diskstation.example.com" }
    become = true
  }

  account = "me@example.com"
}
