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
    user = "root"
  }
}

# Terraform runs on the Proxmox host itself.
resource "plex_server_account_binding" "here" {
  server = {
    exec = ["pct", "exec", "101", "--", "sh"]
  }

  account = "me@example.com"
}

# Terraform runs elsewhere: ssh gives the shell of pct.
resource "plex_server_account_binding" "elsewhere" {
  server = {
    exec = ["ssh", "-o", "BatchMode=yes", "root@proxmox.example.com", "pct exec 102 -- sh"]
  }

  account = "me@example.com"
}

# The container has an SSH server of its own.
resource "plex_server_account_binding" "by_itself" {
  server = {
    ssh = { host = "plex-lxc.example.com" }
  }

  account = "me@example.com"
}
