#!/bin/bash
# A bench's ACTIONS_RUNNER_HOOK_JOB_STARTED: GitHub's runner calls it before the first step of every job it was given.
# A pull request can add a workflow that asks for the bench's label, so the bench itself refuses: only the workflows and
# events which job_started.conf (beside this file) allows, at the default branch of the expected repository, may go on.
#
# A hook that merely fails is not enough: steps with `if: always()` run all the same (actions/runner issue 2811). So a
# refusal ends the runner's worker, the parent of this shell, and with it the job.
#
# What it trusts: the runner gives a hook the `github` context, which GitHub's server fills in, and the runner's own
# environment; a workflow's `env:` does not reach it (actions/runner, JobHookProvider.cs and ScriptHandler.cs).
# What it relies on: the runner's user may write neither this file nor its folder, its .conf, or the runner's .env.
# Only shell builtins decide: nothing is looked up in PATH. Tested by tests/workflows/test_hook.py; docs/bench.md.
set -u
LC_ALL=C

refuse() {
    printf '::error title=hilgate bench::refused: %s\n' "$1"
    printf 'hilgate: this bench refused the job: %s\n' "$1" >&2
    /bin/sleep 1 || : # long enough for the runner to pass the line above on
    kill -KILL "$PPID"
    exit 1
}

# What a job may choose (a branch, a workflow's name) is shown without anything that a log would act on.
shown() { printf '%s' "${1//[^A-Za-z0-9._\/@:-]/?}"; }

due() { # due NAME WANTED: the variable NAME must be WANTED, to the byte
    local got=${!1-}
    [ "$got" = "$2" ] || refuse "$1 is $(shown "$got"), must be $(shown "$2")"
}

here=${BASH_SOURCE[0]%/*}
config=$here/job_started.conf
server='' repository='' repository_id='' branch='' allowed=()

{ [ -f "$config" ] && [ -r "$config" ]; } || refuse "there is no job_started.conf beside the hook"
for path in "$here" "$config" "${BASH_SOURCE[0]}"; do
    [ ! -w "$path" ] || refuse "the runner's user could change ${path##*/}: give the hook's folder to root, mode 755"
done
while IFS='=' read -r key value || [ -n "$key" ]; do
    case $key in
        '' | '#'*) ;;
        server) server=$value ;;
        repository) repository=$value ;;
        repository_id) repository_id=$value ;;
        branch) branch=$value ;;
        allow) allowed+=("$value") ;;
        *) refuse "job_started.conf: unknown key $(shown "$key")" ;;
    esac
done <"$config"
for value in "$server" "$repository" "$branch" "${allowed[*]-}"; do
    [ -n "$value" ] || refuse "job_started.conf must say server, repository, branch and allow"
done

due GITHUB_SERVER_URL "$server"
due GITHUB_REPOSITORY "$repository"
[ -z "$repository_id" ] || due GITHUB_REPOSITORY_ID "$repository_id"
due GITHUB_REF "refs/heads/$branch"
due GITHUB_REF_TYPE branch
due GITHUB_HEAD_REF '' # set only when the code under test is a pull request's
due GITHUB_BASE_REF ''
for pair in "${allowed[@]}"; do # pair: FILE EVENT, such as `verdict.yml workflow_run`
    [ "${GITHUB_WORKFLOW_REF-}" = "$repository/.github/workflows/${pair% *}@refs/heads/$branch" ] || continue
    [ "${GITHUB_EVENT_NAME-}" = "${pair#* }" ] || continue
    printf 'hilgate: %s on %s may use this bench\n' "${pair% *}" "${pair#* }"
    exit 0
done
refuse "workflow $(shown "${GITHUB_WORKFLOW_REF-}") on event $(shown "${GITHUB_EVENT_NAME-}") is not allowed here"
