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
    user = "me" # who is logged in at the Mac's screen, and runs the server there
  }
}

resource "plex_server_account_binding" "studio" {
  server = {
    ssh = { host = "studio.local" }
  }

  account = "me@example.com"
}
