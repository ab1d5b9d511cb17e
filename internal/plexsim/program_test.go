//go:build unix

package plexsim_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestProgramSaysHowItIsUsed(t *testing.T) {
	for _, args := range [][]string{{}, {"restart"}, {"stop"}, {"status", "a", "b"}, {"stop", "--never", "a"}, {"plextv", "--account", "owner"}} {
		var out bytes.Buffer
		if status := plexsim.Main(append([]string{"plexsim"}, args...), &out, &out); status != 2 || out.Len() == 0 {
			t.Errorf("%v: status %d, %s", args, status, out.String())
		}
	}
}

func TestServerRunsInTheForegroundUntilASignal(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT} {
		t.Run(name, func(t *testing.T) {
			s := simtest.NewServer(t, simtest.Options{})
			server := exec.Command(simtest.Program(t), "server")
			server.Env = append(server.Environ(), plexsim.EnvSupportDir+"="+s.SupportDir())
			must(t, server.Start())
			t.Cleanup(func() { _ = server.Process.Kill() })
			s.WaitEvent(plexsim.EventListening, 1)
			must(t, server.Process.Signal(signal))
			if err := server.Wait(); err != nil {
				t.Errorf("got %v", err)
			}
			s.WaitEvent(plexsim.EventStopped, 1)
		})
	}
}

func TestServerInheritsNoDescriptors(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{})
	read, write, err := os.Pipe()
	must(t, err)
	var out bytes.Buffer
	start := exec.Command(simtest.Program(t), "start", s.SupportDir())
	start.ExtraFiles = []*os.File{write}
	start.Stdout, start.Stderr = &out, &out // pipes: Run waits until nobody holds them
	must(t, start.Run())
	must(t, write.Close())
	if _, err := read.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the server holds a pipe: %v", err)
	}
	must(t, read.Close())
	if !s.Running() {
		t.Error("the server does not run")
	}
}

func TestServerWithAWrongConfigurationSaysSo(t *testing.T) {
	server := exec.Command(simtest.Program(t), "server")
	missing := filepath.Join(t.TempDir(), "missing.json")
	server.Env = append(server.Environ(), plexsim.EnvConfig+"="+missing)
	out, err := server.CombinedOutput()
	if err == nil || !strings.Contains(string(out), missing) {
		t.Errorf("got %v and %s", err, out)
	}
}

// startPlexTV runs plex.tv as a program and returns its address.
func startPlexTV(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.Command(simtest.Program(t), append([]string{"plextv", "--addr", "127.0.0.1:0"}, args...)...)
	out, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	t.Cleanup(func() {
		must(t, command.Process.Signal(syscall.SIGTERM))
		if err := command.Wait(); err != nil {
			t.Errorf("plex.tv ended with %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	return strings.TrimSpace(line)
}

func TestPlexTVRunsAsAProgramAndIsSteeredOverHTTP(t *testing.T) {
	requests := filepath.Join(t.TempDir(), "requests")
	url := startPlexTV(t, "--account", "owner,owner@example.com,ownerToken", "--requests", requests)
	steer := func(path, order string) reply {
		t.Helper()
		return send(t, "POST", url+"/_sim/"+path, order)
	}
	steer("accounts", `{"username":"second","email":"second@example.com","token":"secondToken"}`).want(t, 200)
	call(t, "GET", url+"/api/v2/user", "X-Plex-Token: ownerToken").want(t, 200, `home="1"`)
	call(t, "GET", url+"/api/v2/user", "X-Plex-Token: secondToken").want(t, 200, `home="0"`)
	steer("servers", `{"account":"owner","client_id":"`+denID+`","name":"Den"}`).want(t, 200, `"token":"`, `"id":"`)
	steer("shares", `{"account":"second","client_id":"`+denID+`"}`).want(t, 200)
	call(t, "GET", url+"/api/v2/resources", "X-Plex-Token: secondToken").want(t, 200, denID, `owned="0"`)
	steer("faults", `{"path_prefix":"/api/v2/user","status":429,"retry_after":"3s"}`).want(t, 200)
	call(t, "GET", url+"/api/v2/user", "X-Plex-Token: ownerToken").want(t, 429)
	steer("faults", `{"count":-1}`).want(t, 200)
	send(t, "DELETE", url+"/_sim/faults", "").want(t, 200)
	claim := steer("claims", `{"account":"owner"}`)
	claim.want(t, 200, `{"token":"claim-`)
	steer("clock", `{"offset":"4m"}`).want(t, 200)
	token := strings.Split(claim.body, `"`)[3]
	call(t, "POST", url+"/api/claim/exchange?token="+token, "X-Plex-Client-Identifier: "+denID).want(t, 401)
	steer("revoke", `{"token":"secondToken"}`).want(t, 200, `{"revoked":true}`)
	call(t, "GET", url+"/api/v2/user", "X-Plex-Token: secondToken").want(t, 401)
	steer("revoke", `{"account":"owner"}`).want(t, 200)
	call(t, "GET", url+"/api/v2/user", "X-Plex-Token: ownerToken").want(t, 401)
	call(t, "GET", url+"/_sim/devices").want(t, 200, denID)
	call(t, "GET", url+"/_sim/requests").want(t, 200, `"path":"/api/claim/exchange"`, `"account":"owner"`)
	send(t, "DELETE", url+"/_sim/requests", "").want(t, 200)
	call(t, "GET", url+"/_sim/requests").want(t, 200, "[]")
}

func TestOrdersThatAreWrongAreRefused(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	for path, order := range map[string]string{
		"faults": `{"statsu":500}`, "clock": `{"offset":5}`, "accounts": `owner`,
	} {
		send(t, "POST", tv.URL+"/_sim/"+path, order).want(t, 400, `{"error":"`)
	}
	for path, order := range map[string]string{
		"claims": `{"account":"nobody"}`, "servers": `{"account":"nobody"}`, "revoke": `{"account":"nobody"}`,
	} {
		send(t, "POST", tv.URL+"/_sim/"+path, order).want(t, 404, "unknown account")
	}
	if got := tv.Requests(); len(got) != 0 {
		t.Errorf("orders are recorded: %+v", got)
	}
}
