# The one server on this machine.
terraform import plex_server_account_binding.den local:

# The one server on another host; with root's rights there.
terraform import plex_server_account_binding.den 'ssh://admin@nas.example.com?become=true'

# A container, here and on another host.
terraform import plex_server_account_binding.den docker://plex
terraform import plex_server_account_binding.den docker+ssh://admin@nas.example.com/plex

# Any other: the JSON of the attribute server.
terraform import plex_server_account_binding.attic '{
  "service": {"name": "plexmediaserver-attic.service"},
  "preferences_path": "/srv/plex-attic/Plex Media Server/Preferences.xml",
  "url": "http://127.0.0.1:32500"
}'
