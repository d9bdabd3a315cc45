#!/bin/sh
# Install system packages pip cannot provide: `system.sh NAME...`, where NAME is chromium, java, node, npm, or a Debian
# package. Only missing packages are installed, and only as root or with passwordless sudo; otherwise the command is
# printed. `system.sh --if-possible NAME...` installs each that this system has, names the others, and never fails.
set -eu

is_there() {
    case "$1" in
        chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
        firefox-esr) command -v firefox-esr || command -v firefox ;;
        node) command -v node || command -v nodejs ;;
        npm) command -v npm ;;
        webkit2gtk-driver) command -v WebKitWebDriver ;;
        xvfb) command -v Xvfb ;;
        # Spark needs Java 17 or newer; the line reads: openjdk version "17.0.9" ...
        java) test "$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')" -ge 17 ;;
        *) dpkg -s "$1" ;;
    esac >/dev/null 2>&1
}

as_root=""
test "$(id -u)" = 0 || as_root="sudo -n"
may_install() { test -z "$as_root" || { command -v sudo && sudo -n true; } >/dev/null 2>&1; }

# All at once, and else one at a time: a system may have one browser and not another.
if test "${1:-}" = --if-possible; then
    shift
    sh "$0" "$@" >/dev/null 2>&1 && exit 0
    lacking=""
    for name in "$@"; do
        is_there "$name" || sh "$0" "$name" >/dev/null 2>&1 || lacking="$lacking $name"
    done
    test -z "$lacking" || echo "Not installed:$lacking. Tests that need it are skipped." >&2
    exit 0
fi

# Headless Chromium of the same version: tests start it in a quarter of the time. Debian has it; if it cannot be
# installed, tests use Chromium itself.
want_shell() {
    if command -v chromium-headless-shell || ! command -v apt-get || ! may_install; then return; fi
    # A machine without a network must not wait long for an optional package.
    apt-cache show chromium || $as_root timeout 60 apt-get update -qq || return
    apt-cache show chromium-headless-shell || return
    install="apt-get install -y -qq --no-install-recommends"
    $as_root timeout 120 $install --download-only chromium-headless-shell &&
        $as_root env DEBIAN_FRONTEND=noninteractive $install chromium-headless-shell
}
case " $* " in *" chromium "*) wants_shell=yes ;; *) wants_shell="" ;; esac

missing=""
for name in "$@"; do
    is_there "$name" || missing="$missing $name"
done
if test -z "$missing"; then
    test -z "$wants_shell" || want_shell >/dev/null 2>&1 || true
    exit 0
fi

packages() {
    for name in $missing; do
        case "$name" in
            java) echo "$1" ;;
            node) echo nodejs ;;
            *) echo "$name" ;;
        esac
    done | tr '\n' ' '
}

if command -v apt-get >/dev/null; then
    if may_install; then
        echo "Installing:$missing ..."
        $as_root apt-get update -qq
        # Debian 12 has Java 17, later ones have 21.
        java=openjdk-17-jre-headless
        apt-cache show "$java" >/dev/null 2>&1 || java=openjdk-21-jre-headless
        # shellcheck disable=SC2046 # a list of names
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(packages $java) >/dev/null
        test -z "$wants_shell" || want_shell >/dev/null 2>&1 || true
        exit 0
    fi
    line="apt-get install -y $(packages openjdk-17-jre-headless)"
elif command -v dnf >/dev/null; then
    if may_install; then
        echo "Installing:$missing ..."
        # shellcheck disable=SC2046
        $as_root dnf install -y -q $(packages java-21-openjdk-headless)
        exit 0
    fi
    line="dnf install -y $(packages java-21-openjdk-headless)"
else
    line="(with your package manager) $(packages 'a Java runtime, 17 or newer')"
fi
echo "Missing:$missing. Run this once, then start again:  sudo $line" >&2
exit 1
