package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/homelab-iac/terraform-provider-plex/internal/plain"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// failure is err for the person who has to act: what was being done and on which
// host in the summary; then the cause, the state that the server is in, and what
// to do next, each a paragraph. more are further paragraphs. ctx is the one that
// the operation had.
func failure(ctx context.Context, err error, more ...string) diag.Diagnostic {
	summary, paragraphs := "The operation failed", []string{sentence(err.Error())}
	var e *server.Error
	if errors.As(err, &e) {
		summary = plain.Line(fmt.Sprintf("%s on %s failed", e.Doing, e.Host))
		paragraphs = []string{sentence(e.Err.Error()), plain.Text(e.State), plain.Text(e.Next)}
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		paragraphs = append(paragraphs, "The time limit of the operation was over; timeouts sets it.")
	case errors.Is(ctx.Err(), context.Canceled):
		paragraphs = append(paragraphs, "The operation was interrupted.")
	}
	return diag.NewErrorDiagnostic(summary, joinParagraphs(append(paragraphs, more...)...))
}

// warn adds a warning for each text. Terraform folds warnings that have the same
// summary, so a summary that must be seen for each server names it.
func warn(diags *diag.Diagnostics, summary string, texts []string) {
	for _, text := range texts {
		diags.AddWarning(plain.Line(summary), plain.Text(text)) // once: equal diagnostics are kept once
	}
}

func joinParagraphs(paragraphs ...string) string {
	var kept []string
	for _, p := range paragraphs {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n\n")
}

// sentence makes a sentence of the text of an error, which may be what somebody else has said.
func sentence(text string) string {
	text = plain.Text(text)
	first, size := utf8.DecodeRuneInString(text)
	if text == "" || strings.HasPrefix(text, "plex.tv") {
		return withStop(text)
	}
	return withStop(string(unicode.ToUpper(first)) + text[size:])
}

func withStop(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// shortDuration is 1m30s rather than 1m30.000s, and 15m rather than 15m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
