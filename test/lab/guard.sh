#!/bin/bash
# guard.sh FOLDER COMMAND… runs COMMAND in a process group of its own and exits as it does. When standard input closes,
# which happens as well when the test runner is killed, whatever the signal, it ends that group (TERM, and KILL
# after 10 s) and removes FOLDER. So no server and no half a download outlives a run.
set -u -m
folder=$1
shift

exec 3<&0
"$@" </dev/null 3<&- &
command=$!
cat <&3 >/dev/null &
owner=$!
exec 3<&-

while kill -0 "$command" 2>/dev/null && kill -0 "$owner" 2>/dev/null; do sleep 0.2; done

if kill -0 "$owner" 2>/dev/null; then
  kill "$owner"
  wait "$command"
  status=$?
  kill -KILL -- "-$command" 2>/dev/null
  exit "$status"
fi

kill -TERM -- "-$command" 2>/dev/null
for _ in {1..100}; do
  kill -0 "$command" 2>/dev/null || break
  sleep 0.1
done
kill -KILL -- "-$command" 2>/dev/null
rm -rf -- "$folder"
exit 143
