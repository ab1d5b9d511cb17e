# shellcheck shell=sh
#
# What people run by hand, as root: no proof, no copy, no look at what came of it.
systemctl stop plexmediaserver
sed -i -E 's/ PlexOnline(Home|Mail|Token|Username)="[^"]*"//g' '/var/lib/plexmediaserver/Library/Application Support/Plex Media Server/Preferences.xml'
systemctl start plexmediaserver
