package pgdev

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// packager is how one system installs Postgres: commands run in order.
type packager struct {
	tool     string // the program whose presence in PATH tells the system
	asRoot   bool   // the commands need root
	commands []string
}

// packagers are tried in order; the versions of the packages are the systems' own.
var packagers = []packager{
	{"apt-get", true, []string{"apt-get update", "apt-get install -y postgresql"}},
	{"dnf", true, []string{"dnf install -y postgresql-server"}},
	{"yum", true, []string{"yum install -y postgresql-server"}},
	{"apk", true, []string{"apk add postgresql"}},
	{"zypper", true, []string{"zypper install -y postgresql-server"}},
	{"pacman", true, []string{"pacman -S --noconfirm postgresql"}},
	{"brew", false, []string{"brew install postgresql@15"}},
}

// installer is this system's packager with its commands as this user must type them; without commands if unknown.
func installer() packager {
	for _, p := range packagers {
		if _, err := exec.LookPath(p.tool); err != nil {
			continue
		}
		if p.asRoot && os.Geteuid() != 0 {
			typed := make([]string, len(p.commands))
			for i, c := range p.commands {
				typed[i] = "sudo " + c
			}
			p.commands = typed
		}
		return p
	}
	return packager{}
}

// advice ends the sentence that says that there is no Postgres.
func (p packager) advice() string {
	if len(p.commands) == 0 {
		return "install PostgreSQL 15 or newer and put its bin directory into PATH"
	}
	return "install them with `" + strings.Join(p.commands, " && ") + "`"
}

// run installs. It may be repeated: every packager treats an installed package as done.
func (p packager) run(ctx context.Context, log io.Writer) error {
	if len(p.commands) == 0 {
		return fmt.Errorf("%w: %s", errNoPrograms, p.advice())
	}
	for _, command := range p.commands {
		argv := strings.Fields(command)
		last := &tail{next: log}
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Stdin = os.Stdin // sudo asks for a password
		cmd.Stdout, cmd.Stderr = last, last
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("install postgres by `%s`: %w%s", command, err, last.quoted())
		}
	}
	return nil
}
