terraform {
  required_version = ">= 1.11"

  required_providers {
    plex = {
      source = "homelab-iac/plex"
    }
  }
}

# The account that is to own the servers. Its token is never stored in state.
# Without this variable, set PLEX_TOKEN in the environment.
variable "plex_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

provider "plex" {
  account_token = var.plex_token

  # For servers on other hosts; ~/.ssh/config counts, too.
  ssh = {
    user             = "admin"
    private_key_path = "~/.ssh/homelab"
  }
}

# The server on this machine belongs to me.
resource "plex_server_account_binding" "den" {
  account = "me@example.com"
}

# So does the one on the NAS.
resource "plex_server_account_binding" "nas" {
  server = {
    ssh    = { host = "nas.example.com" }
    become = true
  }

  account = "me@example.com"
}
