terraform {
  required_version = ">= 1.11"

  required_providers {
    plex = {
      source = "homelab-iac/plex"
    }
  }
}

provider "plex" {} # account_token comes from PLEX_TOKEN

# kubectl gives the shell. -i passes standard input on; there must be no -t.
resource "plex_server_account_binding" "cluster" {
  server = {
    exec = ["kubectl", "--context", "home", "exec", "-i", "-n", "media", "plex-0", "-c", "plex", "--", "sh"]
  }

  account = "me@example.com"
}
