package plexsim

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"
)

// runPlexTV serves plex.tv until a signal ends it. The first line it prints is its
// address.
func runPlexTV(args []string, stdout, stderr io.Writer) (int, error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, stopSignals...)
	var options PlexTVOptions
	var accounts []Account
	flags := newFlags(stderr)
	addr := flags.String("addr", "127.0.0.1:32480", "where to listen")
	flags.StringVar(&options.RequestsFile, "requests", "", "file that gets every request as a line of JSON")
	flags.DurationVar(&options.ListingDelay, "listing-delay", 0, "how long after its claim a server is listed")
	flags.IntVar(&options.ExchangeRefusal, "exchange-refusal", http.StatusUnauthorized, "status for a claim token that is not valid")
	flags.BoolVar(&options.RevokeOnExchange, "revoke-on-exchange", false, "a new token revokes the server's earlier ones")
	flags.BoolVar(&options.RevokeOnSignOut, "revoke-on-sign-out", false, "a sign-out revokes the server's token")
	flags.BoolVar(&options.ListRevoked, "list-revoked", false, "servers with a revoked token stay listed")
	flags.Func("account", "username,email,token; may be repeated", func(value string) error {
		account, err := parseAccount(value)
		accounts = append(accounts, account)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return exitUsage, err
	}
	plexTV := NewPlexTV(options)
	for _, account := range accounts {
		plexTV.AddAccount(account)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return exitFailed, err
	}
	_, _ = fmt.Fprintf(stdout, "http://%s\n", listener.Addr())
	server := &http.Server{Handler: plexTV, ReadHeaderTimeout: time.Minute}
	go func() {
		<-signals
		plexTV.Close()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return exitFailed, err
	}
	return exitOK, nil
}

// parseAccount reads an account of the command line, which is in a Plex Home.
func parseAccount(value string) (Account, error) {
	parts := strings.Split(value, ",")
	if len(parts) != 3 || parts[0] == "" || parts[2] == "" {
		return Account{}, errors.New("an account is username,email,token")
	}
	return Account{Username: parts[0], Email: parts[1], Token: parts[2], Home: true}, nil
}
