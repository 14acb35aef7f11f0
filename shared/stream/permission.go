package stream

import (
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// User is a user of the broker, and all that it may do there: its allow-lists. It is the one source of what deploy/nats holds, and of
// what the dev stack and the tests run under.
type User struct {
	Name string
	// Publish and Subscribe are subjects. A user with an empty list may do nothing of the kind.
	Publish, Subscribe []string
}

// The users. A program's user has the name that it connects with, and its inbox is _INBOX.<name>.
const (
	Provisioner = "provisioner"
	Claimer     = "claimer"
	Fetcher     = "fetcher-" // and the family
	Writer      = "writer"
	Operator    = "operator" // a person, with the operator's tool: replay, dead letters
)

// Users are those that an installation with these chains needs: a fetcher for each family that has a chain. Programs are named chain
// by chain and durable by durable, because `fetch-evm-*` is not a legal wildcard; so a new chain needs a reload of the server.
// Nobody may purge or delete a stream.
func Users(chains []chain.Config) []User {
	claimer, writer := newUser(Claimer), newUser(Writer)
	families := map[chain.Family]*User{}
	var order []*User
	for _, c := range chains {
		family := string(c.Family)
		fetcher := families[c.Family]
		if fetcher == nil {
			u := newUser(Fetcher + family)
			fetcher = &u
			families[c.Family], order = fetcher, append(order, fetcher)
		}
		for _, lane := range []wire.Lane{wire.Sweep, wire.Fast} {
			subject, durable := wire.ClaimSubject(family, c.Name, lane), FetchDurable(family, c.Name, lane)
			claimer.may(subject, askAbout(Claims, durable))
			fetcher.may(wire.DeadLetterSubject(subject))
			fetcher.may(consume(Claims, durable)...)
		}
		result, durable := wire.ResultSubject(family, c.Name), WriteDurable(family, c.Name)
		claimer.may(askAbout(Results, durable)) // what the writer has not applied holds the claimer back
		fetcher.may(result)
		writer.may(wire.DeadLetterSubject(result))
		writer.may(consume(Results, durable)...)
	}
	users := []User{provisioner(), claimer}
	for _, f := range order {
		users = append(users, *f)
	}
	return append(users, writer, operator())
}

func newUser(name string) User {
	return User{Name: name, Subscribe: []string{"_INBOX." + name + ".>"}}
}

func (u *User) may(publish ...string) { u.Publish = append(u.Publish, publish...) }

// askAbout is the question after a consumer's state, which binding to it asks too.
func askAbout(stream, durable string) string {
	return "$JS.API.CONSUMER.INFO." + stream + "." + durable
}

// consume is what reading from a durable takes. Acks have two forms of subject: later servers put domain and account in front.
func consume(stream, durable string) []string {
	return []string{askAbout(stream, durable), "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + durable,
		"$JS.ACK." + stream + "." + durable + ".>", "$JS.ACK.*.*." + stream + "." + durable + ".>"}
}

// provisioner makes and changes streams and consumers, and can neither read a message nor write one, nor delete anything.
func provisioner() User {
	u := newUser(Provisioner)
	u.may("$JS.API.INFO", "$JS.API.STREAM.CREATE.*", "$JS.API.STREAM.UPDATE.*", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST",
		"$JS.API.CONSUMER.CREATE.>", "$JS.API.CONSUMER.RESET.>", "$JS.API.CONSUMER.INFO.*.*", "$JS.API.CONSUMER.NAMES.*", "$JS.API.CONSUMER.LIST.*")
	return u
}

// operator reads all streams, sends messages again, and removes dead letters one by one.
func operator() User {
	u := newUser(Operator)
	u.may("claims.*.*.*", "results.*.*", "dlq.>", "$JS.API.INFO", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.MSG.GET.*", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST",
		"$JS.API.DIRECT.GET.>", "$JS.API.STREAM.MSG.DELETE."+DeadLetters, "$JS.API.CONSUMER.>", "$JS.ACK.>", "$JS.FC.>")
	u.Subscribe = append(u.Subscribe, "$JS.EVENT.ADVISORY.>")
	return u
}
