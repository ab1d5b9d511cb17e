package host

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestTailIsTheLastOfWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.IntRange(1, 20).Draw(r, "limit")
		tail := newTail(limit)
		var all string
		for _, part := range rapid.SliceOf(rapid.StringMatching(`[a-z]{0,30}`)).Draw(r, "parts") {
			n, err := tail.Write([]byte(part))
			if n != len(part) || err != nil {
				r.Fatalf("wrote %d of %d, %v", n, len(part), err)
			}
			all += part
		}
		if want := all[max(0, len(all)-limit):]; tail.String() != want {
			r.Errorf("got %q, want %q", tail.String(), want)
		}
	})
}

func TestTailOfBytesThatAreNoTextIsText(t *testing.T) {
	tail := &tail{limit: 4}
	_, _ = tail.Write([]byte("x\u00e9\u00e9\xff"))
	if got := tail.String(); !utf8.ValidString(got) || !strings.Contains(got, "\u00e9") {
		t.Errorf("got %q", got)
	}
}

func TestTailOfAWriterWithoutEndIsBounded(t *testing.T) {
	tail := &tail{limit: 4096}
	for range 1 << 12 {
		_, _ = tail.Write(make([]byte, 1<<12))
	}
	if got := cap(tail.kept); got > 1<<14 {
		t.Errorf("it holds %d bytes", got)
	}
}
