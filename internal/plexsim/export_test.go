package plexsim

import "net/http"

// Handler is the API of the running process, for requests from elsewhere than
// loopback.
func (s *Server) Handler() http.Handler { return s.current().handler() }
