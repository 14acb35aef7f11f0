package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"go.yaml.in/yaml/v3"
)

const deploy = "../../deploy"

// composed is a service of compose.yaml, as far as the tests look at it.
type composed struct {
	Image       string
	User        string
	Entrypoint  []string
	Environment map[string]string
	Secrets     []string
	Volumes     []string
	Ports       []string
	Networks    []string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	MemLimit    string   `yaml:"mem_limit"`
	PidsLimit   int      `yaml:"pids_limit"`
}

type compose struct {
	Services map[string]composed
	Secrets  map[string]struct{ File string }
	Networks map[string]struct{ Internal bool }
}

func text(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	if err := yaml.Unmarshal([]byte(text(t, deploy+"/compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Services) < 8 {
		t.Fatalf("%d services", len(c.Services))
	}
	return c
}

// ours are the services of compose that run our programs.
func (c compose) ours() map[string]composed {
	list := map[string]composed{}
	for name, s := range c.Services {
		if strings.HasPrefix(s.Image, "${BALSYNC_IMAGE") {
			list[name] = s
		}
	}
	return list
}

// installed is a copy of deploy/ with its secrets made, as an operator makes them.
func installed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(deploy)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "secrets")); err != nil { // those of whoever runs this
		t.Fatal(err)
	}
	makeSecrets(t, dir)
	return dir
}

func makeSecrets(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command("bash", filepath.Join(dir, "secrets.sh")).CombinedOutput(); err != nil {
		t.Fatalf("secrets.sh: %v\n%s", err, out)
	}
}

func TestSecretsAreMadeOnceAndTheirDirectoryIsClosed(t *testing.T) {
	dir := installed(t)
	before := map[string]string{}
	names, err := filepath.Glob(filepath.Join(dir, "secrets", "*"))
	if err != nil || len(names) < 20 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		before[name] = text(t, name)
		if strings.Contains(name, "postgres_") && len(before[name]) != 48 {
			t.Errorf("%s has %d characters", name, len(before[name]))
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o222 != 0 && len(before[name]) > 0 || os.Getuid() == 0 && info.Mode().Perm() != 0o400 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "secrets")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info.Mode(), err)
	}
	makeSecrets(t, dir)
	for name, want := range before {
		if text(t, name) != want {
			t.Errorf("%s was made anew: whoever uses the old one is locked out", name)
		}
	}
	seen := map[string]string{}
	for name, content := range before {
		if other, twice := seen[content]; twice && content != "" {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[content] = name
	}
}

// The broker runs on the files that are deployed, and knows the users by the URLs that the containers are given.
func TestTheDeployedBrokerTakesTheUsersOfTheSecrets(t *testing.T) {
	dir := installed(t)
	if err := os.Rename(filepath.Join(dir, "secrets", "nats_passwords.conf"), filepath.Join(dir, "nats", "passwords.conf")); err != nil {
		t.Fatal(err)
	}
	server, err := natsdev.Start(t.TempDir(), natsdev.Options{ConfigFile: filepath.Join(dir, "nats", "nats.conf"), MaxStore: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	chains, err := chain.Parse([]byte(text(t, deploy+"/chains.yaml")), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := stream.NewPlan(chains, stream.DefaultSettings())
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range stream.Users(chains) {
		url := strings.Replace(text(t, filepath.Join(dir, "secrets", user.Name+"_nats_url")), "nats:4222", strings.TrimPrefix(server.URL(), "nats://"), 1)
		conn, err := stream.Connect(t.Context(), stream.Options{URL: secret.New(url), Service: user.Name})
		if err != nil {
			t.Fatal(err)
		}
		if user.Name == stream.Provisioner { // the first of them
			if changes, err := plan.Provision(t.Context(), conn.JS); err != nil || len(changes) == 0 {
				t.Errorf("provision: %v, %v", changes, err)
			}
		}
		if user.Name == stream.Writer {
			if _, err := conn.Bind(t.Context(), stream.Results, stream.WriteDurable("evm", "bsc")); err != nil {
				t.Error(err)
			}
		}
		conn.Close()
	}
	printed := drive(t, map[string]string{"BALSYNC_CHAINS": deploy + "/chains.yaml"}, "config", "nats")
	if have := text(t, deploy+"/nats/users.conf"); printed.code != 0 || !strings.HasSuffix(have, printed.stdout) {
		t.Errorf("deploy/nats/users.conf is not what `balsync config nats` prints today (exit %d)", printed.code)
	}
}

// known are the variables that every service reads before its own.
var known = []string{"LOG_LEVEL", "LOG_FORMAT", "BALSYNC_ADMIN_ADDR", "BALSYNC_INSTANCE"}

// Each service is loaded with the environment that compose gives it: nothing may be missing, and nothing be there that it never asks for.
func TestComposeGivesEachServiceWhatItReadsAndNothingElse(t *testing.T) {
	dir := installed(t)
	for name, url := range map[string]string{"bsc_rpc_url": "https://node.example/key", "tron_grpc_url": "grpcs://node.example:50051", "tron_key": "some-key"} {
		path := filepath.Join(dir, "secrets", name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(url+"\n"), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	programs := map[string]func(*service.Env){
		"migrate": func(env *service.Env) { env.Require("DATABASE_URL", env.Secret("DATABASE_URL"), "") },
	}
	for _, l := range loaders() {
		programs[l.name] = l.load
	}
	fallback := regexp.MustCompile(`^\$\{[A-Z_]+:-(.*)\}$`)
	for name, s := range readCompose(t).ours() {
		load, exists := programs[name]
		if !exists {
			t.Errorf("%s is no program of ours", name)
			continue
		}
		asked := map[string]bool{}
		env := service.NewEnv(func(key string) (string, bool) {
			asked[key] = true
			value, given := s.Environment[key]
			if m := fallback.FindStringSubmatch(value); m != nil {
				value = m[1]
			}
			if inside, mounted := strings.CutPrefix(value, "/run/secrets/"); mounted {
				if !slices.Contains(s.Secrets, inside) {
					t.Errorf("%s: %s names a secret that the container does not get", name, key)
				}
				value = filepath.Join(dir, "secrets", inside)
			}
			return strings.Replace(value, "/etc/balsync/", dir+"/", 1), given
		})
		load(env)
		if err := env.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for key := range s.Environment {
			if !asked[key] && !slices.Contains(known, key) {
				t.Errorf("%s: nothing reads %s", name, key)
			}
		}
	}
}

func TestComposeGivesNoContainerMoreThanItNeeds(t *testing.T) {
	c := readCompose(t)
	used := map[string]bool{}
	version := regexp.MustCompile(`:\d+\.\d+[\w.-]*$`)
	for name, s := range c.Services {
		if !strings.HasPrefix(s.Image, "${BALSYNC_IMAGE") && !version.MatchString(s.Image) {
			t.Errorf("%s: the image %s is not pinned", name, s.Image)
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.MemLimit == "" || s.PidsLimit == 0 {
			t.Errorf("%s is not closed: %+v", name, s)
		}
		if len(s.Ports) > 0 {
			t.Errorf("%s publishes %v", name, s.Ports)
		}
		if slices.Contains(s.Networks, "outside") != strings.HasPrefix(name, "fetcher-") || !slices.Contains(s.Networks, "inside") {
			t.Errorf("%s is on %v", name, s.Networks)
		}
		for _, key := range s.Secrets {
			used[key] = true
			if file := c.Secrets[key].File; file != "./secrets/"+key {
				t.Errorf("%s: the secret %s is %q", name, key, file)
			}
		}
		for key := range s.Environment {
			if regexp.MustCompile(`(URL|PASSWORD|KEY|CREDS)$`).MatchString(key) {
				t.Errorf("%s has %s in its environment: use its _FILE", name, key)
			}
		}
	}
	for key := range c.Secrets {
		if !used[key] {
			t.Errorf("nobody uses the secret %s", key)
		}
	}
	if !c.Networks["inside"].Internal {
		t.Error("the inner network leads out")
	}
	for name, s := range c.ours() {
		if s.User != "65532:65532" {
			t.Errorf("%s runs as %q", name, s.User)
		}
		for _, key := range s.Secrets {
			if owner, _, _ := strings.Cut(key, "_"); strings.HasSuffix(key, "_database_url") || strings.HasSuffix(key, "_nats_url") {
				if want := map[string]string{"migrate": "migrator", "provision": "provisioner"}[name]; owner != name && owner != want {
					t.Errorf("%s is given %s", name, key)
				}
			}
		}
	}
}

func TestTheImageHasTheProgramsThatComposeRuns(t *testing.T) {
	file := text(t, deploy+"/Dockerfile")
	for name, s := range readCompose(t).ours() {
		if len(s.Entrypoint) != 1 || !regexp.MustCompile(`\./(services/[\w-]+/)?cmd`+regexp.QuoteMeta(s.Entrypoint[0])+`\b`).MatchString(file) {
			t.Errorf("%s runs %v, which the image does not build", name, s.Entrypoint)
		}
	}
	for _, want := range []string{"\nFROM scratch\n", "\nUSER 65532:65532\n", "CGO_ENABLED=0"} {
		if !strings.Contains(file, want) {
			t.Errorf("the Dockerfile lacks %q", want)
		}
	}
	for _, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(file, -1) {
		if from[1] != "scratch" && !regexp.MustCompile(`:\d+\.\d+\.\d+`).MatchString(from[1]) {
			t.Errorf("the base %s is not pinned", from[1])
		}
	}
}
