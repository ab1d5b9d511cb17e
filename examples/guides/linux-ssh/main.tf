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
    user             = "admin"
    private_key_path = "~/.ssh/homelab"
    proxy_jump       = "gate.example.com" # leave out where the hosts are reached directly
  }

  become = {
    method = "sudo"
  }
}

resource "plex_server_account_binding" "den" {
  server = {
    ssh    = { host = "den.example.com" }
    become = true
  }

  account = "me@example.com"
}

# A host whose key is not in known_hosts: pinned here, from its own console:
#   ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
resource "plex_server_account_binding" "attic" {
  server = {
    ssh = {
      host     = "192.0.2.20"
      port     = 2222
      host_key = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
    }
    become = true
  }

  account = "me@example.com"
}
