package pms_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
)

const signedIn = `<MyPlex authToken="S3cret" username="den" mappingState="mapped" signInState="ok"/>`

func TestClaimHandsTheTokenOver(t *testing.T) {
	client, requests := server(t, say(200, signedIn))
	if err := client.Claim(t.Context(), " "+claimToken+"\n"); err != nil {
		t.Fatal(err)
	}
	req := requests.seen()[0]
	if got := req.Method + " " + req.URL.String(); got != "POST /myplex/claim?token="+claimToken {
		t.Errorf("asked %s", got)
	}
	if req.ContentLength != 0 {
		t.Errorf("sent a body of %d bytes", req.ContentLength)
	}
}

func TestClaimSendsNothingThatIsNoClaimToken(t *testing.T) {
	client, requests := server(t, say(200, signedIn))
	for _, token := range []string{"", "AcctS3cretTokenZ_9xy", "claim-", "xclaim-S3cret", "claim-S3cret&a=b", "claim-S3cret S3cret", "claim-" + strings.Repeat("S3cret", 100)} {
		err := client.Claim(t.Context(), token)
		wantError(t, err, pms.ErrClaimRefused)
		wantText(t, err, "not sent")
	}
	if n := len(requests.seen()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestClaimTellsARefusalFromTheRest(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   error
		says   string
	}{
		"401":     {say(401, `<html>401 Unauthorized</html>`), pms.ErrClaimRefused, "HTTP 401"},
		"403":     {say(403, ``), pms.ErrClaimRefused, "HTTP 403"},
		"400":     {say(400, claimToken), pms.ErrUnexpected, "HTTP 400 Bad Request"},
		"404":     {say(404, ``), pms.ErrUnexpected, "HTTP 404"},
		"500":     {say(500, claimToken), pms.ErrUnexpected, "HTTP 500"},
		"cut off": {cutOff(signedIn), pms.ErrUnexpected, "cut off"},
		"huge":    {say(200, strings.Repeat(" ", 1<<20+1)), pms.ErrUnexpected, "larger than 1048576 bytes"},
		"hung up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, pms.ErrUnreachable, "closed before an answer"},
	} {
		t.Run(name, func(t *testing.T) {
			client, requests := server(t, tt.answer)
			err := client.Claim(t.Context(), claimToken)
			wantError(t, err, tt.want)
			wantText(t, err, "POST http://127.0.0.1:", "/myplex/claim: ", tt.says)
			if n := len(requests.seen()); n != 1 {
				t.Errorf("%d requests, want 1: a claim is not repeated", n)
			}
		})
	}
}

func TestClaimMayTakeAMinute(t *testing.T) {
	for after, want := range map[time.Duration]error{59 * time.Second: nil, 61 * time.Second: pms.ErrUnreachable} {
		synctest.Test(t, func(t *testing.T) {
			slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(after) // of the fake clock
				say(200, signedIn)(w, r)
			})
			client := clientOf(t, "http://127.0.0.1:32400", listenInMemory(t, slow).dial)
			began := time.Now()
			err := client.Claim(t.Context(), claimToken)
			if want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, want)
			if took := time.Since(began); took != time.Minute {
				t.Errorf("gave up after %s", took)
			}
			synctest.Wait()
			time.Sleep(2 * time.Second) // of the fake clock: the handler ends
		})
	}
}

// A server, or something in its place, gives back what it was sent.
func TestNoErrorHoldsAClaimTokenThatTheServerReflects(t *testing.T) {
	for name, answer := range map[string]string{
		"status line": claimToken + "\r\n\r\n",
		"status":      "HTTP/1.1 " + claimToken + " OK\r\n\r\n",
		"status text": "HTTP/1.1 400 " + claimToken + "\r\nContent-Length: 0\r\n\r\n",
		"version":     "HTTP/" + claimToken + " 200 OK\r\n\r\n",
		"header":      "HTTP/1.1 200 OK\r\n" + claimToken + "\r\n\r\n",
		"length":      "HTTP/1.1 200 OK\r\nContent-Length: " + claimToken + "\r\n\r\n",
		"coding":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + claimToken + "\r\n\r\n",
		"chunk":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + claimToken + "\r\n",
		"headers":     "HTTP/1.1 200 OK\r\nX: " + strings.Repeat(claimToken, 9000) + "\r\n\r\n",
		"location":    "HTTP/1.1 307 T\r\nContent-Length: 0\r\nLocation: ::" + claimToken + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, answer)
			}()
			err = clientOf(t, "http://"+listener.Addr().String(), direct).Claim(t.Context(), claimToken)
			if err == nil {
				t.Fatal("no error")
			}
			wantNoSecret(t, err)
		})
	}
}
