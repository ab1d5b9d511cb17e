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
    user = "me" # who runs the server, or an administrator
  }
}

resource "plex_server_account_binding" "desktop" {
  server = {
    ssh = { host = "desktop.example.com" }
  }

  account = "me@example.com"
}
