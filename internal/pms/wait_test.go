package pms_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
)

func claimed(i pms.Identity) bool { return i.Claimed == pms.ClaimedYes }

func TestWaitIdentitySitsOutARestart(t *testing.T) {
	requests := &recorder{answers: []http.HandlerFunc{
		say(503, ``),
		say(200, `<html>running startup maintenance tasks</html>`),
		say(200, `nonsense`),
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		say(200, identity(``)),
		say(200, identity(`claimed="0"`)),
		say(200, identity(`claimed="1"`)),
	}}
	synctest.Test(t, func(t *testing.T) {
		listening := listenInMemory(t, requests)
		refusals := 3
		client := clientOf(t, "http://127.0.0.1:32400", func(ctx context.Context, network, address string) (net.Conn, error) {
			if refusals--; refusals >= 0 {
				return nil, syscall.ECONNREFUSED
			}
			return listening.dial(ctx, network, address)
		})
		got, err := client.WaitIdentity(t.Context(), claimed)
		if err != nil || got.Claimed != pms.ClaimedYes || len(requests.seen()) != 7 {
			t.Errorf("%+v, %v after %d requests", got, err, len(requests.seen()))
		}
	})
}

func TestWaitIdentityTakesAnythingWithoutACondition(t *testing.T) {
	client, _ := server(t, say(200, identity(``)))
	got, err := client.WaitIdentity(t.Context(), nil)
	if err != nil || got.MachineIdentifier != machine {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWaitIdentityAsksOftenAtFirstAndLessLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var asked []time.Duration
		client := clientOf(t, "http://127.0.0.1:32400", func(context.Context, string, string) (net.Conn, error) {
			asked = append(asked, time.Since(began))
			return nil, syscall.ECONNREFUSED
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := client.WaitIdentity(ctx, nil)
		wantError(t, err, pms.ErrRefused, context.DeadlineExceeded)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %s", took)
		}
		want := []int64{0, 5, 15, 35, 75, 155, 315, 565, 815}
		for i, at := range want {
			if asked[i].Milliseconds() != at {
				t.Errorf("asked at %v, want at %v ms", asked[:len(want)], want)
				break
			}
		}
		if last := asked[len(asked)-1] - asked[len(asked)-2]; last != 250*time.Millisecond {
			t.Errorf("asks every %s in the end", last)
		}
	})
}

func TestAWaitInVainSaysWhatCameLast(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   error
		says   string
	}{
		"starting":   {say(503, ``), pms.ErrStarting, "starting"},
		"unexpected": {say(200, `nonsense`), pms.ErrUnexpected, "not the answer"},
		"unclaimed":  {say(200, identity(`claimed="0"`)), pms.ErrNotAccepted, machine + `, version "1.43.3.10861-abc", claimed: no`},
		"silent":     {never(""), pms.ErrUnreachable, "context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := clientOf(t, "http://127.0.0.1:32400", listenInMemory(t, tt.answer).dial)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				_, err := client.WaitIdentity(ctx, claimed)
				wantError(t, err, tt.want, context.DeadlineExceeded)
				wantText(t, err, "GET http://127.0.0.1:32400/identity: ", tt.says)
			})
		})
	}
}

func TestWhatTheEndOfTheWaitCutShortIsNotTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := &recorder{answers: []http.HandlerFunc{say(503, ``), never("")}}
		client := clientOf(t, "http://127.0.0.1:32400", listenInMemory(t, requests).dial)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := client.WaitIdentity(ctx, nil)
		wantError(t, err, pms.ErrStarting, context.DeadlineExceeded)
	})
}

func TestACancelledWaitEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second+time.Millisecond, cancel)
		client := clientOf(t, "http://127.0.0.1:32400", fails(syscall.ECONNREFUSED))
		began := time.Now()
		_, err := client.WaitIdentity(ctx, nil)
		wantError(t, err, pms.ErrRefused, context.Canceled)
		if took := time.Since(began); took != time.Second+time.Millisecond {
			t.Errorf("took %s", took)
		}
	})
}

func TestAWaitThatIsOverBeforeItBeginsDialsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client := clientOf(t, "http://127.0.0.1:32400", fails(errors.New("dialled")))
	_, err := client.WaitIdentity(ctx, nil)
	wantError(t, err, pms.ErrUnreachable, context.Canceled)
}
