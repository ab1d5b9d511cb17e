#!/bin/sh
# Process 1 of an image that keeps the server as plexinc/pms-docker does. A file down beside the configuration leaves it down.
set -e
service=/var/run/s6/services/plex
mkdir -p "$service"
cat > "$service/run" << 'END'
#!/bin/sh
exec s6-applyuidgid -u 1000 -g 1000 -G "" "/usr/lib/plexmediaserver/Plex Media Server"
END
chmod 0755 "$service/run"
[ ! -e /config/down ] || : > "$service/down"
exec s6-svscan /var/run/s6/services
