//go:build linux

package faults_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// outage is a time in which the server did not answer.
type outage struct{ began, ended time.Time }

// watcher asks a server again and again whether it is there.
type watcher struct {
	client http.Client
	url    string
	end    func()
	done   sync.WaitGroup

	mu      sync.Mutex
	answers bool
	outages []outage
}

// watch begins with a server that answers, or is meant not to.
func watch(url string, answers bool) *watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{url: url + "/identity", end: cancel, answers: answers}
	// Connections are reset at the end: those in TIME_WAIT would fill the tables of
	// the kernel, which an edit reads.
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
			err = tcp.SetLinger(0)
		}
		return conn, err
	}
	w.client = http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}
	w.done.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for ; ctx.Err() == nil; <-tick.C {
			w.note(w.asks(ctx))
		}
	})
	return w
}

func (w *watcher) asks(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url, nil)
	if err != nil {
		return false
	}
	response, err := w.client.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

func (w *watcher) note(answers bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch now := time.Now(); {
	case w.answers && !answers:
		w.outages = append(w.outages, outage{began: now})
	case !w.answers && answers && len(w.outages) > 0:
		w.outages[len(w.outages)-1].ended = now
	}
	w.answers = answers
}

// up tells whether the server answered the last time it was asked.
func (w *watcher) up() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answers
}

// longest is the longest time that the server was away, counted from since at
// the earliest, and until now at the latest.
func (w *watcher) longest(since time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var most time.Duration
	for _, o := range w.outages {
		if o.ended.IsZero() {
			o.ended = time.Now()
		}
		if o.began.Before(since) {
			o.began = since
		}
		most = max(most, o.ended.Sub(o.began))
	}
	return most
}

func (w *watcher) stop() {
	w.end()
	w.done.Wait()
}
