package pms_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
)

func TestIdentityIsWhatTheServerSays(t *testing.T) {
	for attribute, want := range map[string]pms.Claimed{
		`claimed="1"`:     pms.ClaimedYes,
		`claimed="true"`:  pms.ClaimedYes,
		`claimed="0"`:     pms.ClaimedNo,
		`claimed="false"`: pms.ClaimedNo,
		``:                pms.ClaimedUnknown, // never unclaimed
		`claimed=""`:      pms.ClaimedUnknown,
		`claimed="maybe"`: pms.ClaimedUnknown,
	} {
		client, requests := server(t, say(200, identity(attribute)))
		got, err := client.Identity(t.Context())
		if want := (pms.Identity{MachineIdentifier: machine, Version: "1.43.3.10861-abc", Claimed: want}); err != nil || got != want {
			t.Errorf("%s: %+v, %v", attribute, got, err)
		}
		req := requests.seen()[0]
		if got := req.Method + " " + req.URL.String() + " " + req.Header.Get("Accept"); got != "GET /identity application/xml" {
			t.Errorf("asked %s", got)
		}
	}
}

func TestClaimedSaysWhatItIs(t *testing.T) {
	if got := fmt.Sprint(pms.ClaimedUnknown, pms.ClaimedNo, pms.ClaimedYes); got != "unknown no yes" {
		t.Error(got)
	}
	if (pms.Identity{}).Claimed != pms.ClaimedUnknown {
		t.Error("an identity that nobody filled in says more than that it is unknown")
	}
}

func TestAServerThatIsStartingIsStarting(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"503":               say(503, ``),
		"503 with identity": say(503, identity(`claimed="1"`)),
		"page":              say(200, `<html>Plex Media Server is currently running startup maintenance tasks.</html>`),
		"page in a 404":     say(404, `Running Startup Maintenance Tasks`),
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := server(t, answer)
			_, err := client.Identity(t.Context())
			wantError(t, err, pms.ErrStarting)
			wantText(t, err, "GET http://127.0.0.1:", "/identity: ")
			wantError(t, client.Claim(t.Context(), claimToken), pms.ErrStarting)
		})
	}
}

func TestWhatIsNoIdentityIsUnexpected(t *testing.T) {
	whole := identity(`claimed="0"`)
	for name, answer := range map[string]http.HandlerFunc{
		"401":           say(401, `<html>401 Unauthorized</html>`),
		"404":           say(404, whole),
		"500":           say(500, whole),
		"no content":    say(204, ``),
		"empty":         say(200, ``),
		"JSON":          say(200, `{"MediaContainer":{"claimed":true,"machineIdentifier":"S3cret"}}`),
		"not XML":       say(200, `<S3cret></x>`),
		"another root":  say(200, strings.ReplaceAll(whole, "MediaContainer", "Device")),
		"no identifier": say(200, `<MediaContainer claimed="0" version="1"/>`),
		"odd one":       say(200, `<MediaContainer claimed="0" machineIdentifier="S3cret S3cret"/>`),
		"long one":      say(200, `<MediaContainer claimed="0" machineIdentifier="`+strings.Repeat("a", 200)+`"/>`),
		"half":          say(200, whole[:len(whole)-5]),
		"cut off":       cutOff(whole),
		"huge":          say(200, whole+strings.Repeat(" ", 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := server(t, answer)
			got, err := client.Identity(t.Context())
			wantError(t, err, pms.ErrUnexpected)
			wantText(t, err, "GET http://127.0.0.1:", "/identity: ")
			if status := name[:3]; strings.Trim(status, "0123456789") == "" {
				wantText(t, err, "HTTP "+status)
			}
			if got != (pms.Identity{}) {
				t.Errorf("gave %+v all the same", got)
			}
		})
	}
}

func TestWhatTheDialerSaysIsKept(t *testing.T) {
	odd := errors.New("ssh nas.lan: permission denied")
	for name, tt := range map[string]struct {
		fault error
		want  error
		says  string
	}{
		"refused here":       {&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, pms.ErrRefused, "connection refused"},
		"refused over there": {fmt.Errorf("nas.lan: %w", syscall.ECONNREFUSED), pms.ErrRefused, "nas.lan"},
		"no route":           {&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, pms.ErrUnreachable, "no route"},
		"no way in":          {odd, pms.ErrUnreachable, "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			client := clientOf(t, "http://127.0.0.1:32400", fails(tt.fault))
			_, err := client.Identity(t.Context())
			wantError(t, err, tt.want)
			wantText(t, err, "GET http://127.0.0.1:32400/identity: ", tt.says)
			if !errors.Is(err, tt.fault) {
				t.Error("the dialer's error cannot be found in it")
			}
			err = client.Claim(t.Context(), claimToken)
			wantError(t, err, tt.want)
			wantText(t, err, "POST http://127.0.0.1:32400/myplex/claim: ")
		})
	}
}

// lateRefusal is a connection of a dialer that finds out as it is used.
type lateRefusal struct{ net.Conn }

func (lateRefusal) Read([]byte) (int, error)  { return 0, syscall.ECONNREFUSED }
func (lateRefusal) Write([]byte) (int, error) { return 0, syscall.ECONNREFUSED }

func TestARefusalMayComeAfterTheDialer(t *testing.T) {
	client := clientOf(t, "http://127.0.0.1:32400", func(context.Context, string, string) (net.Conn, error) {
		conn, _ := net.Pipe()
		return lateRefusal{conn}, nil
	})
	_, err := client.Identity(t.Context())
	wantError(t, err, pms.ErrRefused)
}

func TestNothingListensIsRefused(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	_, err = clientOf(t, "http://"+listener.Addr().String(), direct).Identity(t.Context())
	wantError(t, err, pms.ErrRefused)
	wantText(t, err, listener.Addr().String())
}

func TestIdentityTakesTenSecondsAtMost(t *testing.T) {
	for name, first := range map[string]string{"nothing comes": "", "the rest does not come": "<MediaContainer"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := clientOf(t, "http://127.0.0.1:32400", listenInMemory(t, never(first)).dial)
				began := time.Now()
				_, err := client.Identity(t.Context())
				wantError(t, err, pms.ErrUnreachable)
				wantText(t, err, "no answer in time")
				if took := time.Since(began); took != 10*time.Second {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

func TestAnInterruptedRequestSaysSo(t *testing.T) {
	for _, first := range []string{"", "<MediaContainer"} {
		synctest.Test(t, func(t *testing.T) {
			client := clientOf(t, "http://127.0.0.1:32400", listenInMemory(t, never(first)).dial)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := client.Identity(ctx)
			wantError(t, err, pms.ErrUnreachable, context.DeadlineExceeded)
		})
	}
}
