package writer

import "time"

// refusedDelay is when a message comes again whose dead letter could not be stored: somebody has to make room first.
const refusedDelay = 30 * time.Second

// answer tells the broker about each message, after COMMIT: acked once every row is settled, else handed back. An ack that is
// lost brings the message again, and applying it again changes nothing.
func (a *applier) answer(b *batch) {
	open := make([]bool, len(b.messages))
	for i, o := range b.outcomes {
		if o.Fate == "" {
			open[b.from[i].message] = true
		}
	}
	for i, m := range b.messages {
		switch {
		case m.owed != nil:
			a.told(m.msg.NakWithDelay(refusedDelay), "returned")
		case open[i]:
			a.told(m.msg.Nak(), "returned")
		default:
			a.told(m.msg.Ack(), "applied")
		}
	}
}

// told counts what became of a message. What the broker did not hear it finds out after AckWait.
func (a *applier) told(err error, outcome string) {
	if err != nil {
		outcome = "unanswered"
	}
	a.metrics.messages.WithLabelValues(a.chain.Name, outcome).Inc()
}
