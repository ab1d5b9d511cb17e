package plextv_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

// timed answers with a script on a fake clock, and notes when it was asked.
type timed struct {
	recorder
	asked []time.Time
}

func (s *timed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, time.Now())
	s.recorder.ServeHTTP(w, r)
}

func (s *timed) waits() (waits []time.Duration) {
	for i := 1; i < len(s.asked); i++ {
		waits = append(waits, s.asked[i].Sub(s.asked[i-1]))
	}
	return waits
}

// onFakeClock runs the test with a client of the default patience.
func onFakeClock(t *testing.T, test func(*testing.T, *plextv.Client, *timed), answers ...http.HandlerFunc) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		script := &timed{recorder: recorder{answers: answers}}
		test(t, plextv.New(plextv.Config{AccountToken: accountToken, Transport: through(script)}), script)
	})
}

func TestRetryAfterIsSatOut(t *testing.T) {
	date := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", time.Now().Add(9*time.Second).UTC().Format(http.TimeFormat))
		w.WriteHeader(429)
	}
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   time.Duration
	}{
		"seconds of a 429": {say(429, "", "Retry-After", "7"), 7 * time.Second},
		"seconds of a 503": {say(503, "", "Retry-After", " 60 "), time.Minute},
		"date":             {date, 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			onFakeClock(t, func(t *testing.T, client *plextv.Client, script *timed) {
				if _, err := client.Account(t.Context()); err != nil {
					t.Fatal(err)
				}
				// A second more, at most, to spread out those who wait.
				if w := script.waits(); len(w) != 1 || w[0] < tt.want || w[0] > tt.want+time.Second {
					t.Errorf("waited %v, want %s", w, tt.want)
				}
			}, tt.answer, say(200, whoAmI))
		})
	}
}

func TestRetryAfterThatSaysNothingLeavesTheUsualWait(t *testing.T) {
	for _, header := range []string{"", "soon", "-5", "0", "-9223372036854775807", "Mon, 01 Jan 1990 00:00:00 GMT"} {
		onFakeClock(t, func(t *testing.T, client *plextv.Client, script *timed) {
			if _, err := client.Account(t.Context()); err != nil {
				t.Fatal(err)
			}
			if w := script.waits(); len(w) != 1 || w[0] < 500*time.Millisecond || w[0] > time.Second {
				t.Errorf("%q: waited %v", header, w)
			}
		}, say(429, "", "Retry-After", header), say(200, whoAmI))
	}
}

func TestARetryAfterThatIsTooLongEndsTheCallAtOnce(t *testing.T) {
	for _, header := range []string{"61", "3600", "99999999999999999"} {
		onFakeClock(t, func(t *testing.T, client *plextv.Client, script *timed) {
			began := time.Now()
			_, err := client.Account(t.Context())
			wantError(t, err, plextv.ErrRateLimited)
			wantText(t, err, "HTTP 429", "asks to wait ")
			if n, took := len(script.asked), time.Since(began); n != 1 || took != 0 {
				t.Errorf("%d requests in %s", n, took)
			}
		}, say(429, "", "Retry-After", header))
	}
}

func TestWaitsGrowAreBoundedAndDiffer(t *testing.T) {
	var firsts []time.Duration
	for range 20 {
		onFakeClock(t, func(t *testing.T, client *plextv.Client, script *timed) {
			_, err := client.Account(t.Context())
			wantError(t, err, plextv.ErrUnavailable)
			wantText(t, err, "HTTP 500", "after 5 tries", `it says "overloaded"`)
			waits := script.waits()
			if len(waits) != 4 {
				t.Fatalf("waited %v", waits)
			}
			for i, wait := range waits {
				if full := time.Second << i; wait < full/2 || wait > full {
					t.Errorf("wait %d is %s, want up to %s", i+1, wait, full)
				}
			}
			firsts = append(firsts, waits[0])
		}, say(500, `{"error":"overloaded"}`))
	}
	if slices.Max(firsts) == slices.Min(firsts) {
		t.Error("all clients wait for the same time")
	}
}

func TestNoWaitOfOurOwnChoiceIsLongerThanFifteenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := &timed{recorder: recorder{answers: []http.HandlerFunc{say(500, "")}}}
		client := plextv.New(plextv.Config{AccountToken: accountToken, Transport: through(script), Retry: plextv.Retry{Attempts: 400}})
		_, err := client.Account(t.Context())
		wantError(t, err, plextv.ErrUnavailable)
		// They are spread over the upper half: of so many one is almost as long as it may be.
		if longest := slices.Max(script.waits()); longest < 14*time.Second || longest > 15*time.Second {
			t.Errorf("the longest wait is %s", longest)
		}
	})
}

func TestARequestTakesThirtySecondsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var took []time.Duration
		client := plextv.New(plextv.Config{AccountToken: accountToken, Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
			began := time.Now()
			<-req.Context().Done()
			took = append(took, time.Since(began))
			return nil, req.Context().Err()
		})})
		_, err := client.Account(t.Context())
		wantError(t, err, plextv.ErrUnavailable)
		wantText(t, err, "no answer within 30s")
		if slices.Min(took) != 30*time.Second || slices.Max(took) != 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestThoseWhoWaitForTheSameTimeComeBackOneByOne(t *testing.T) {
	var waits []time.Duration
	for range 20 {
		onFakeClock(t, func(t *testing.T, client *plextv.Client, script *timed) {
			if _, err := client.Account(t.Context()); err != nil {
				t.Fatal(err)
			}
			waits = append(waits, script.waits()...)
		}, say(429, "", "Retry-After", "7"), say(200, whoAmI))
	}
	if slices.Max(waits) == slices.Min(waits) {
		t.Error("all clients come back at the same moment")
	}
}

func TestAWaitThatOutlastsTheDeadlineIsNotBegun(t *testing.T) {
	onFakeClock(t, func(t *testing.T, client *plextv.Client, _ *timed) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		began := time.Now()
		_, err := client.Account(ctx)
		wantError(t, err, plextv.ErrRateLimited)
		if took := time.Since(began); took != 0 {
			t.Errorf("took %s", took)
		}
	}, say(429, "", "Retry-After", "30"))
}

func TestACancelledWaitEndsAtOnceAndSaysWhatItWaitedFor(t *testing.T) {
	onFakeClock(t, func(t *testing.T, client *plextv.Client, _ *timed) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		began := time.Now()
		_, err := client.Account(ctx)
		wantError(t, err, plextv.ErrRateLimited)
		if !errors.Is(err, context.Canceled) || time.Since(began) != 3*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	}, say(429, "", "Retry-After", "30"))
}

func TestACallThatIsOverBeforeItBeginsSendsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	eachCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
		requests := &recorder{}
		err := call(ctx, plextv.New(plextv.Config{AccountToken: accountToken, Transport: through(requests)}))
		wantError(t, err, plextv.ErrUnavailable)
		if !errors.Is(err, context.Canceled) || len(requests.seen()) != 0 {
			t.Errorf("%d requests, %v", len(requests.seen()), err)
		}
	})
}

func TestReadingIsRepeatedUntilItWorks(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{
		"408": say(408, ""), "429": say(429, ""), "500": say(500, ""), "502": say(502, ""), "503": say(503, ""), "504": say(504, ""),
		"cut off": cutOff(whoAmI), "hung up": hangUp,
	} {
		t.Run(name, func(t *testing.T) {
			client, requests := plexTV(t, bad, bad, say(200, whoAmI))
			if _, err := client.Account(t.Context()); err != nil {
				t.Error(err)
			}
			if n := len(requests.seen()); n != 3 {
				t.Errorf("%d requests, want 3", n)
			}
		})
	}
}

func TestWhatCannotGetBetterIsNotRepeated(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{
		"400": say(400, ""), "302": say(302, "", "Location", "/elsewhere"), "huge": say(200, strings.Repeat(" ", 1<<20+1)), "not JSON": say(200, "<x/>"),
	} {
		client, requests := plexTV(t, bad)
		_, err := client.Account(t.Context())
		wantError(t, err, plextv.ErrUnexpected)
		if n := len(requests.seen()); n != 1 {
			t.Errorf("%s: %d requests, want 1", name, n)
		}
	}
}
