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
    user = "admin" # who is root on QTS
  }
}

resource "plex_server_account_binding" "nas" {
  server = {
    ssh = { host = "qnap.example.com" }
  }

  account = "me@example.com"
}
