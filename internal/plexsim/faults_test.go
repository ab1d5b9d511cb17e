package plexsim_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestFaultAnswersWithAStatus(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	tv.Fail(plexsim.Fault{PathPrefix: "/api/v2/user", Status: 429, RetryAfter: plexsim.Duration(1500 * time.Millisecond), Count: 2})
	tv.Fail(plexsim.Fault{PathPrefix: "/api/v2/user"})
	for _, status := range []int{429, 429, 503, 200} {
		got := call(t, "GET", tv.URL+"/api/v2/user", ownerToken)
		got.want(t, status)
		if after := got.header.Get("Retry-After"); (after == "2") != (status == 429) {
			t.Errorf("%d: Retry-After %q", status, after)
		}
	}
	if got := tv.Requests(); got[0].Status != 429 || got[0].Fault != plexsim.FaultStatus || got[3].Fault != "" {
		t.Errorf("recorded %+v", got)
	}
}

func TestFaultHitsOnlyWhatItIsMeantFor(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	tv.Fail(plexsim.Fault{Method: "DELETE", PathPrefix: "/devices", Count: -1})
	call(t, "GET", tv.URL+"/devices.xml", ownerToken).want(t, 200)
	call(t, "GET", tv.URL+"/api/v2/user", ownerToken).want(t, 200)
	for range 3 {
		call(t, "DELETE", tv.URL+"/devices/1.xml", ownerToken).want(t, 503)
	}
	tv.ClearFaults()
	call(t, "DELETE", tv.URL+"/devices/1.xml", ownerToken).want(t, 404)
}

func TestFaultsConsumeTheClaimTokenOrDoNot(t *testing.T) {
	for kind, consumes := range map[string]bool{
		plexsim.FaultStatus: false, plexsim.FaultRefuse: false,
		plexsim.FaultCutOff: true, plexsim.FaultGarbage: true, plexsim.FaultLost: true, plexsim.FaultHang: true,
	} {
		t.Run(kind, func(t *testing.T) {
			tv := simtest.NewPlexTV(t)
			tv.Fail(plexsim.Fault{Kind: kind, PathPrefix: "/api/claim/exchange"})
			claim := mint(t, tv, "owner")
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			var body string
			var err error
			ended := make(chan struct{})
			go func() {
				body, err = post(ctx, t, tv.URL+"/api/claim/exchange?token="+claim)
				close(ended)
			}()
			simtest.Eventually(t, "the request", func() bool { return len(tv.Requests()) == 1 })
			if kind == plexsim.FaultHang {
				giveUp()
			}
			<-ended
			checkFault(t, kind, body, err)
			status := 200
			if consumes {
				status = 401
			}
			call(t, "POST", tv.URL+"/api/claim/exchange?token="+claim, "X-Plex-Client-Identifier: "+denID).want(t, status)
		})
	}
}

// checkFault holds what the client saw against what the kind of fault promises.
func checkFault(t *testing.T, kind, body string, err error) {
	t.Helper()
	switch kind {
	case plexsim.FaultStatus, plexsim.FaultGarbage:
		if err != nil || body == "" || body[0] != '<' {
			t.Errorf("want a page, got %q and %v", body, err)
		}
	case plexsim.FaultCutOff:
		if !errors.Is(err, io.ErrUnexpectedEOF) || body == "" {
			t.Errorf("want a part, got %q and %v", body, err)
		}
	case plexsim.FaultHang:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("want no answer at all, got %q and %v", body, err)
		}
	default:
		if !errors.Is(err, io.EOF) {
			t.Errorf("want a closed connection, got %q and %v", body, err)
		}
	}
}

func post(ctx context.Context, t *testing.T, url string) (string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	must(t, err)
	request.Header.Set("X-Plex-Client-Identifier", denID)
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func TestClosedPlexTVLetsGoOfHangingRequests(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	tv.Fail(plexsim.Fault{Kind: plexsim.FaultHang})
	done := make(chan error, 1)
	go func() {
		_, err := post(context.Background(), t, tv.URL+"/")
		done <- err
	}()
	simtest.Eventually(t, "the request", func() bool { return len(tv.Requests()) == 1 })
	tv.Close()
	if err := <-done; err == nil {
		t.Error("the request was answered")
	}
}
