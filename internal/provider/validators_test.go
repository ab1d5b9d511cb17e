package provider_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// invalid are attributes that validation refuses, and what it says of them.
var invalid = map[string]struct{ attributes, says string }{
	"relative_path":    {`server = { preferences_path = "Preferences.xml" }`, "server.preferences_path must be an absolute path"},
	"key_of_no_user":   {`server = { preferences_path = "HKEY_LOCAL_MACHINE\\Software\\Plex" }`, "registry key of a user"},
	"key_with_break":   {`server = { preferences_path = "HKEY_CURRENT_USER\\Soft\nware" }`, "control characters"},
	"path_with_break":  {`server = { preferences_path = "/a\nb" }`, "control characters"},
	"other_platform":   {`server = { platform = "beos" }`, "linux"},
	"service_and_more": {`server = { service = { name = "plex" }, commands = { stop = "a", start = "b", status = "c" } }`, "commands"},
	"service_nothing":  {`server = { service = {} }`, "name"},
	"service_manager":  {`server = { service = { manager = "upstart", name = "plex" } }`, "systemd-user"},
	"service_name":     {`server = { service = { name = "plex server" } }`, "name of a service"},
	"half_commands":    {`server = { commands = { stop = "a" } }`, "start"},
	"empty_command":    {`server = { commands = { stop = " ", start = "b", status = "c" } }`, "server.commands.stop must be a command"},
	"url_with_path":    {`server = { url = "http://127.0.0.1:32400/web" }`, "server.url must have the form"},
	"url_scheme":       {`server = { url = "127.0.0.1:32400" }`, "server.url must have the form"},
	"stop_timeout":     {`server = { stop_timeout = "90" }`, "server.stop_timeout must be a duration"},
	"no_stop_timeout":  {`server = { stop_timeout = "0s" }`, "above zero"},
	"empty_account":    {`account = ""`, "at least 1"},
	"claim_token":      {`claim_token_wo = "SUSPICIOUS-secret"`, "claim_token_wo must be a claim token"},
	"keep_none":        {`backup = { keep = 0 }`, "between 1 and 1000"},
	"backup_directory": {`backup = { directory = "backups" }`, "backup.directory must be an absolute path"},
	"ssh_hostless":     {`server = { ssh = { user = "admin" } }`, "host"},
	"ssh_host":         {`server = { ssh = { host = "admin@nas.example.com" } }`, "user and the port have attributes of their own"},
	"ssh_host_port":    {`server = { ssh = { host = "nas.example.com:22" } }`, "port has an attribute of its own"},
	"ssh_host_option":  {`server = { ssh = { host = "-oProxyCommand=x" } }`, "must be a host name"},
	"ssh_host_run":     {`server = { ssh = { host = "nas.example.com\nProxyCommand x" } }`, "must be a host name"},
	"ssh_port":         {`server = { ssh = { host = "nas.example.com", port = 0 } }`, "between 1 and 65535"},
	"ssh_user":         {`server = { ssh = { host = "nas.example.com", user = "me\nyou" } }`, "must be a user name"},
	"ssh_user_option":  {`server = { ssh = { host = "nas.example.com", user = "-oProxyCommand=x" } }`, "must be a user name"},
	"ssh_user_space":   {`server = { ssh = { host = "nas.example.com", user = "me " } }`, "must be a user name"},
	"ssh_host_key":     {`server = { ssh = { host = "nas.example.com", host_key = "MD5:00:11" } }`, "must be a public key"},
	"ssh_and_exec":     {`server = { ssh = { host = "nas.example.com" }, exec = ["sh"] }`, "exec"},
	"exec_nothing":     {`server = { exec = [] }`, "at least 1"},
	"exec_empty":       {`server = { exec = ["ssh", ""] }`, "server.exec[1]"},
	"exec_container":   {`server = { exec = ["sh"], container = { name = "plex" } }`, "container"},
	"container_name":   {`server = { container = { name = "plex; reboot" } }`, "name or id of a container"},
	"container_engine": {`server = { container = { name = "plex", engine = "/var/run/docker.sock" } }`, "unix:///path"},
	"container_option": {`server = { container = { name = "--help" } }`, "name or id of a container"},
	"container_lines":  {`server = { container = { name = "plex\nplex" } }`, "name or id of a container"},
	"engine_lines":     {`server = { container = { name = "plex", engine = "unix:///run/docker.sock\nx" } }`, "unix:///path"},
	"engine_spaces":    {`server = { container = { name = "plex", engine = "tcp://a b:2375" } }`, "unix:///path"},
	"service_option":   {`server = { service = { name = "--no-block" } }`, "name of a service"},
	"service_lines":    {`server = { service = { name = "/etc/init.d/plex\nx" } }`, "name of a service"},
	"service_run":      {`server = { service = { name = "plex;reboot" } }`, "name of a service"},
	"exec_nul":         {`server = { exec = ["sh", "a\u0000b"] }`, "server.exec[1]"},
	"bad_timeout":      {`timeouts = { delete = "soon" }`, "soon"},
}

func TestInvalidAttributesAreRefusedAndSecretsNotQuoted(t *testing.T) {
	t.Parallel()
	var config strings.Builder
	for name, bad := range invalid {
		fmt.Fprintf(&config, "resource \"plex_server_account_binding\" %q {\n %s\n}\n", name, bad.attributes)
	}
	out, _ := newCLI(t, config.String()).output("validate", "-json")
	var report struct {
		Diagnostics []struct {
			Severity, Summary, Detail string
			Snippet                   struct{ Context string }
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	said := map[string]string{}
	for _, d := range report.Diagnostics {
		said[d.Snippet.Context] += d.Summary + ": " + strings.Join(strings.Fields(d.Detail), " ") + "\n"
		if strings.Contains(d.Summary+d.Detail, "SUSPICIOUS") {
			t.Errorf("a secret is quoted: %s", d.Detail)
		}
	}
	for name, bad := range invalid {
		if got := said[fmt.Sprintf("resource \"plex_server_account_binding\" %q", name)]; !strings.Contains(got, bad.says) {
			t.Errorf("%s: validation says %q, want %q in it", name, got, bad.says)
		}
	}
}

func TestInvalidProviderAttributesAreRefused(t *testing.T) {
	t.Parallel()
	for attribute, says := range map[string]string{
		`plextv_url = "plex.tv"`:                       "plextv_url must have the form",
		`plextv_url = "https://me:SUSPICIOUS@plex.tv"`: "plextv_url must have the form",
		`account_token = ""`:                           "at least 1",
		`ssh = { proxy_jump = "-oProxyCommand=x" }`:    "ssh.proxy_jump must be",
		`ssh = { proxy_jump = "gate,me@-x" }`:          "ssh.proxy_jump must be",
		`ssh = { proxy_jump = "gate\nden" }`:           "ssh.proxy_jump must be",
		`ssh = { proxy_jump = "gate," }`:               "ssh.proxy_jump must be",
		`ssh = { user = "a\u001bb" }`:                  "ssh.user must be",
	} {
		out, err := newCLI(t, "provider \"plex\" {\n "+attribute+"\n}\nephemeral \"plex_claim_token\" \"x\" {}\n").output("validate", "-json")
		text := strings.Join(strings.Fields(strings.ReplaceAll(string(out), `\n`, " ")), " ")
		if err == nil || !strings.Contains(text, says) {
			t.Errorf("%s: validation says %s", attribute, out)
		}
		var report struct {
			Diagnostics []struct{ Summary, Detail string }
		}
		if err := json.Unmarshal(out, &report); err != nil {
			t.Fatal(err)
		}
		for _, d := range report.Diagnostics {
			if strings.Contains(d.Summary+d.Detail, "SUSPICIOUS") {
				t.Errorf("a secret is quoted: %s", d.Detail)
			}
		}
	}
}

func TestValidAttributesAreAccepted(t *testing.T) {
	t.Parallel()
	config := `
resource "plex_server_account_binding" "all" {
  server = {
    platform         = "linux"
    preferences_path = "/srv/plex/Plex Media Server/Preferences.xml"
    service          = { manager = "systemd-user", name = "plex@den.service" }
    url              = "https://127.0.0.1:32400"
    stop_timeout     = "2m30s"
  }
  account                = "me@example.com"
  claim_token_wo         = "claim-xY_z-1234567890"
  claim_token_wo_version = 1
  force_rebind           = true
  triggers               = { month = "may" }
  backup                 = { directory = "/var/backups/plex", keep = 3 }
  on_destroy             = { deregister = true }
  timeouts               = { create = "20m", read = "30s", update = "20m", delete = "20m" }
}
resource "plex_server_account_binding" "ssh" {
  server = {
    ssh    = { host = "2001:db8::1", port = 2222, user = "admin", host_key = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU" }
    become = true
  }
}
resource "plex_server_account_binding" "windows" {
  for_each = toset(["Some One", "CORP\\me", "me@corp.example.com", "Ünal"])
  server   = { ssh = { host = "nas", user = each.key } }
}
provider "plex" {
  ssh = { user = "CORP\\Some One" }
}
resource "plex_server_account_binding" "container" {
  server = {
    ssh       = { host = "nas", host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZha2VfdGVzdF9rZXlfMDAwMDAwMDAwMDAwMDAw nas" }
    container = { name = "plex_1.den", engine = "unix:///var/run/docker.sock" }
    platform  = "linuxserver"
    service   = { name = "/run/service/svc-plex" }
  }
}
resource "plex_server_account_binding" "exec" {
  server = { exec = ["kubectl", "exec", "-i", "plex-0", "--", "sh"], service = { manager = "s6" } }
}
resource "plex_server_account_binding" "commands" {
  server = { commands = { stop = "svc -d /service/plex", start = "svc -u /service/plex", status = "pgrep plex" } }
}
`
	if out, err := newCLI(t, config).output("validate", "-no-color"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
