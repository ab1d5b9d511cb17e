package plextv_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

// A server, or something in front of it, gives back what it was sent. Whatever
// it does with it, no error may pass it on.
func TestNoErrorHoldsATokenThatTheServerReflects(t *testing.T) {
	all := strings.Join([]string{accountToken, claimToken, grantedToken}, " ")
	handlers := map[string]http.HandlerFunc{
		"redirect":             say(302, all, "Location", "https://"+accountToken+".example/?token="+claimToken),
		"redirect to nowhere":  say(302, all, "Location", "::"+accountToken),
		"too many requests":    say(429, `{"error":"`+all+`"}`, "Retry-After", claimToken),
		"half":                 cutOff(all),
		"JSON of another type": say(200, `{"token":{"`+accountToken+`":"`+claimToken+`"},"username":["`+grantedToken+`"]}`),
		"broken JSON":          say(200, `{"token":`+accountToken),
		"broken XML":           say(200, `<`+claimToken+`><`+accountToken+`></`+grantedToken+`>`),
		"unknown encoding":     say(200, `<?xml version="1.0" encoding="`+accountToken+`"?><a>`+claimToken+`</a>`),
		"page":                 say(200, `<html>`+all+`</html>`),
		"compressed":           say(200, all, "Content-Encoding", "gzip"),
	}
	for _, status := range []int{400, 401, 404, 500, 503} {
		handlers[fmt.Sprintf("error of %d", status)] = say(status, `{"error":"`+all+`"}`)
		handlers[fmt.Sprintf("XML error of %d", status)] = say(status, `<e><error>`+all+`</error></e>`)
		handlers[fmt.Sprintf("page of %d", status)] = say(status, all)
	}
	raw := map[string]string{
		"status line":      all + "\r\n\r\n",
		"status":           "HTTP/1.1 " + claimToken + " " + accountToken + "\r\n\r\n",
		"status text":      "HTTP/1.1 400 " + all + "\r\nContent-Length: 0\r\n\r\n",
		"version":          "HTTP/" + accountToken + " 200 OK\r\n\r\n",
		"header":           "HTTP/1.1 200 OK\r\n" + all + "\r\n\r\n",
		"header name":      "HTTP/1.1 200 OK\r\n" + claimToken + " : 1\r\n\r\n",
		"length":           "HTTP/1.1 200 OK\r\nContent-Length: " + accountToken + "\r\n\r\n",
		"coding":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + claimToken + "\r\n\r\n",
		"chunk":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + claimToken + "\r\n",
		"too much header":  "HTTP/1.1 200 OK\r\nX: " + strings.Repeat(all, 4000) + "\r\n\r\n",
		"nothing":          "",
		"not HTTP":         "SSH-2.0-" + accountToken + "\r\n",
		"unfinished start": "HTTP/1.1 2",
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			eachCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
				client, requests := plexTV(t, handler)
				if err := call(t.Context(), client); err != nil { // RemoveDevice takes any 2xx, and 404
					wantNoSecret(t, err)
				}
				if len(requests.seen()) == 0 {
					t.Error("nothing was sent, so that nothing is shown")
				}
			})
		})
	}
	for name, answer := range raw {
		t.Run("raw "+name, func(t *testing.T) {
			url := answerRaw(t, answer)
			eachCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
				if err := call(t.Context(), clientOf(url)); err != nil {
					wantNoSecret(t, err)
				}
			})
		})
	}
}

func TestWhatTheServerSaysIsMaskedAndShortened(t *testing.T) {
	for said, want := range map[string]string{
		"Token has expired":                        `"Token has expired"`,
		"User could not be authenticated":          `"User could not be authenticated"`,
		"token " + accountToken + " unknown":       `"token [masked] unknown"`,
		strings.ToUpper(accountToken) + " unknown": `"[masked] unknown"`,
		claimToken + ": no":                        `"[masked] no"`,
		"see claim-other-1 there":                  `"see [masked] there"`,
		"GET /x?a=b&c=d failed":                    `"GET /x[masked] failed"`,
		"id abcdefghij1 there":                     `"id [masked] there"`,
		"id abcdefghijklmnopqrst there":            `"id [masked] there"`,
		"Acct\u200bS3cret\u200bTokenZ_9xy there":   `"[masked] there"`,
		"two\n lines\tand \x1b[31mcolour":          `"two lines and [31mcolour"`,
		strings.Repeat("no ", 60):                  `"` + strings.Repeat("no ", 40) + `…"`,
		strings.Repeat("no ", 38) + claimToken:     `"` + strings.Repeat("no ", 38) + `[maske…"`,
		"":                                         "",
	} {
		body := fmt.Sprintf(`{"error":%s}`, jsonString(said))
		client, _ := plexTV(t, say(400, body))
		_, err := client.Account(t.Context())
		wantError(t, err, plextv.ErrUnexpected)
		if want == "" {
			if strings.Contains(err.Error(), "says") {
				t.Errorf("says something: %v", err)
			}
			continue
		}
		wantText(t, err, "it says "+want)
	}
}

func TestATokenIsMaskedInAnyCaseAndInItsEscapedForm(t *testing.T) {
	requests := &recorder{answers: []http.HandlerFunc{say(400, `{"error":"bad a%2BS3cret, A+S3CRET"}`)}}
	client := plextv.New(plextv.Config{AccountToken: "a+S3cret", Transport: through(requests)})
	_, err := client.Account(t.Context())
	wantError(t, err, plextv.ErrUnexpected)
	wantText(t, err, `it says "bad [masked], [masked]"`)
}

func TestAClaimTokenIsMaskedWithoutItsPrefixToo(t *testing.T) {
	client, _ := plexTV(t, say(400, `{"error":"bad aS3cret, claim-aS3cret"}`))
	_, err := client.Exchange(t.Context(), "claim-aS3cret", machine)
	wantError(t, err, plextv.ErrClaimRejected)
	wantText(t, err, `it says "bad [masked], [masked]"`)
}

func jsonString(text string) string {
	encoded, _ := json.Marshal(text)
	return string(encoded)
}

// answerRaw answers every connection with these bytes.
func answerRaw(t *testing.T, answer string) (url string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, answer)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}
