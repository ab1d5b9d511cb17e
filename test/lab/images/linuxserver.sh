#!/bin/sh
# Process 1 of an image that keeps the server as linuxserver/docker-plex does. A file down beside the configuration leaves it down.
set -e
service=/run/service/svc-plex
mkdir -p "$service"
cat > "$service/run" << 'END'
#!/bin/sh
exec s6-applyuidgid -u 911 -g 911 -G "" "/usr/lib/plexmediaserver/Plex Media Server"
END
chmod 0755 "$service/run"
[ ! -e /config/down ] || : > "$service/down"
exec s6-svscan /run/service
