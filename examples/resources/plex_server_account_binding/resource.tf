# The one server on this machine, which is found by its service.
resource "plex_server_account_binding" "den" {
  account = "me@example.com"

  # A change gives the server a new token, in one stop and start.
  triggers = {
    password_changed = "2026-05-01"
  }

  # Run by root only, so that nobody else reads what the copies hold.
  backup = {
    directory = "/var/backups/plex"
    keep      = 10
  }

  # Destroy also removes the server from the account's list of devices.
  on_destroy = {
    deregister = true
  }
}

# A second server on this machine, with a unit and a port of its own.
resource "plex_server_account_binding" "attic" {
  server = {
    service          = { name = "plexmediaserver-attic.service" }
    preferences_path = "/srv/plex-attic/Plex Media Server/Preferences.xml"
    url              = "http://127.0.0.1:32500"
    stop_timeout     = "3m" # a large library
  }

  account      = "me@example.com"
  force_rebind = true # it still belongs to the machine's previous owner
}

# A server that no service manager knows.
resource "plex_server_account_binding" "jail" {
  server = {
    preferences_path = "/srv/plex-jail/Plex Media Server/Preferences.xml"
    url              = "http://127.0.0.1:32600"
    commands = {
      stop   = "svc -d /service/plex-jail"
      start  = "svc -u /service/plex-jail"
      status = "svok /service/plex-jail && svstat /service/plex-jail | grep -q ': up '"
    }
  }

  account = "me@example.com"
}

# A server of somebody who gave a claim token from https://plex.tv/claim. The
# number is changed together with the token.
variable "parents_claim_token" {
  type      = string
  sensitive = true
  ephemeral = true
  default   = null
}

resource "plex_server_account_binding" "parents" {
  server = {
    service = { manager = "systemd-user", name = "plex-parents.service" }
    url     = "http://127.0.0.1:32700"
  }

  claim_token_wo         = var.parents_claim_token
  claim_token_wo_version = 1
}

output "owners" {
  value = {
    den   = plex_server_account_binding.den.username
    attic = plex_server_account_binding.attic.username
  }
}
