package upstream

import (
	"errors"
	"strings"
)

// Health tells whether the chain can be read: nil when it can, else which endpoints are out and why. An endpoint in quarantine for the
// code mistake, as one of another chain is, is an error even if others can be used: it is a mistake in the configuration, and
// a person has to see it.
func (p *Pool) Health(mistake string) error {
	usable := false
	var mistaken, out []string
	for _, s := range p.States() {
		switch {
		case s.Fault == nil:
			usable = true
		case s.Quarantined && s.Fault.Code == mistake:
			mistaken = append(mistaken, s.Name+": "+s.Fault.Text)
		default:
			out = append(out, s.Name+": "+s.Fault.Error())
		}
	}
	switch {
	case len(mistaken) > 0:
		return errors.New(strings.Join(mistaken, "; "))
	case !usable:
		return errors.New(strings.Join(out, "; "))
	}
	return nil
}
