package stream

import (
	"fmt"
	"strconv"
	"strings"
)

// AccountsConfig renders users as a part of a nats-server configuration: the account that they share, and the system's, which has no
// user. password gives a user's as the file is to have it: [PasswordVariable] or [PasswordText].
func AccountsConfig(users []User, password func(User) string) string {
	var b strings.Builder
	b.WriteString("accounts {\n  BALSYNC {\n    jetstream { max_streams: 8, max_bytes_required: true }\n    limits { max_connections: 256, max_payload: 1048576 }\n    users: [\n")
	for _, u := range users {
		fmt.Fprintf(&b, "      { user: %q, password: %s, allowed_connection_types: [\"STANDARD\"], permissions: {\n", u.Name, password(u))
		fmt.Fprintf(&b, "        publish: %s\n        subscribe: %s\n      } }\n", rights(u.Publish), rights(u.Subscribe))
	}
	b.WriteString("    ]\n  }\n  SYS { users: [] }\n}\nsystem_account: SYS\n")
	return b.String()
}

// rights is an allow-list. To the server an empty one allows everything.
func rights(subjects []string) string {
	if len(subjects) == 0 {
		return `{ deny: [">"] }`
	}
	quoted := make([]string, len(subjects))
	for i, s := range subjects {
		quoted[i] = strconv.Quote(s)
	}
	return "{ allow: [\n          " + strings.Join(quoted, "\n          ") + "\n        ] }"
}

// PasswordVariable is the environment variable of the server that has the user's password, as a configuration refers to it:
// $BALSYNC_NATS_FETCHER_EVM. The server reads its value as a piece of configuration, so it must be a word that begins with a letter.
func PasswordVariable(u User) string {
	return "$BALSYNC_NATS_" + strings.ToUpper(strings.ReplaceAll(u.Name, "-", "_"))
}

// PasswordText is a password written out, for a server that lives no longer than its owner.
func PasswordText(password string) string { return strconv.Quote(password) }
