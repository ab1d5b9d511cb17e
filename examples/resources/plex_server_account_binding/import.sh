# The one server on this machine.
terraform import plex_server_account_binding.den local:

# Any other: the JSON of the attribute server.
terraform import plex_server_account_binding.attic '{
  "service": {"name": "plexmediaserver-attic.service"},
  "preferences_path": "/srv/plex-attic/Plex Media Server/Preferences.xml",
  "url": "http://127.0.0.1:32500"
}'
