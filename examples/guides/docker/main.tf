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
}

# A container of this machine's Docker engine.
resource "plex_server_account_binding" "local" {
  server = {
    container = { name = "plex" }
  }

  account = "me@example.com"
}

# A container of the engine on another machine, through SSH: no port of the
# engine is opened. The user must be allowed to use the engine's socket.
resource "plex_server_account_binding" "nas" {
  server = {
    ssh       = { host = "nas.example.com" }
    container = { name = "plex" }
  }

  account = "me@example.com"
}
