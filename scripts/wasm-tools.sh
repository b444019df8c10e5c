# Sourced by the scripts that build for wasm: finds or installs a Rust that knows the target
# wasm32-unknown-unknown, and wasm-bindgen's command line at the version in Cargo.lock. Sets
#   wasm_cargo    array: cargo, with what must precede its subcommand (nothing, as a rule)
#   wasm_std      array: flags that build the standard library, where none comes with the toolchain
#   wasm_rustc    the compiler, for its version
#   bindgen_bin   the folder of wasm-bindgen and wasm-bindgen-test-runner
# and keeps all its output in target/wasm, so that the two compilers never mix.

wasm_target=wasm32-unknown-unknown

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# apt_install PACKAGE...: installs what is missing, where there is apt.
apt_install() {
  command -v apt-get >/dev/null || return 1
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "Installing ${missing[*]} with apt"
  as_root apt-get update -qq >&2 && as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

find_wasm_rust() {
  export CARGO_TARGET_DIR=$PWD/target/wasm
  local libs
  libs=$(rustc --print target-libdir --target $wasm_target 2>/dev/null || true)
  if [ ! -d "$libs" ] && command -v rustup >/dev/null; then
    say "Adding the target $wasm_target with rustup"
    # Where rustup has nothing to fetch from, Debian's packages follow below.
    timeout 300 rustup target add $wasm_target >&2 || true
  fi
  if [ -d "$libs" ]; then
    wasm_cargo=(cargo); wasm_std=(); wasm_test_std=(); wasm_rustc=rustc
    return
  fi
  say "Using Debian's compiler for wasm"
  apt_install rustc-web cargo-web rust-web-src rust-web-llvm lld-22 || {
    say "No Rust for $wasm_target: install it with 'rustup target add $wasm_target'"
    return 1
  }
  export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=/usr/bin/rust-lld
  wasm_cargo=(/usr/bin/cargo)
  wasm_std=(-Zbuild-std=std,panic_abort)
  wasm_test_std=(-Zbuild-std=std,panic_abort,panic_unwind,test)
  wasm_rustc=/usr/bin/rustc
}

find_bindgen() {
  local version
  version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
  for bindgen_bin in "$PWD/target/tools/bin" "${CARGO_HOME:-$HOME/.cargo}/bin"; do
    if [ "$("$bindgen_bin/wasm-bindgen" --version 2>/dev/null)" = "wasm-bindgen $version" ]; then return; fi
  done
  bindgen_bin=$PWD/target/tools/bin
  say "Installing wasm-bindgen $version (some minutes, once)"
  # The newest releases of its own dependencies: its lock file is older than the compiler.
  env -u RUSTC -u RUSTC_BOOTSTRAP -u CARGO_TARGET_DIR \
    cargo install wasm-bindgen-cli --version "$version" --root target/tools >&2
}

find_node_tools() {
  command -v npm >/dev/null || { say "npm is missing: install Node.js 20 or newer"; return 1; }
  if ! cmp -s package-lock.json node_modules/.misread-lock; then
    npm ci --silent >&2
    cp package-lock.json node_modules/.misread-lock
  fi
}
