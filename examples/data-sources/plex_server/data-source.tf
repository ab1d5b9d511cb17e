# The one server on this machine.
data "plex_server" "den" {}

# Warns in every plan while the server has no account, or a token that plex.tv
# has revoked.
check "den_is_bound" {
  assert {
    condition     = data.plex_server.den.status == "bound"
    error_message = "The server ${data.plex_server.den.id} is ${data.plex_server.den.status}."
  }
}

output "den" {
  value = {
    owner   = data.plex_server.den.username
    version = data.plex_server.den.version
    running = data.plex_server.den.running
  }
}
