rem The edit and the inspection.
:look
call :service_state
set "was=!state!"
if "!was!"=="stopped" if not "!manager!"=="commands" (
call :find_processes
if defined ours set "was=unknown"
)
set "value=!was!"
call :say state
set "value=!detail!"
call :say state_detail
exit /b 0
:inspect
call :look
:inspect_again
call :export now.reg
if errorlevel 1 call :fail no-key
set "file=now.reg"
call :say_file preferences
del now.reg
set "value="
call :say ready
call :await
if errorlevel 1 goto leave
if "!verb!"=="again" goto inspect_again
goto leave
:edit
call :place
goto lock_and_edit
:edit_locked
call :look
if "!manager!"=="windows-service" if "!was!"=="running" (
call :windows-service_disarm
if errorlevel 1 call :fail kill-limit
)
call :prepare
:edit_ready
set "file=!before!"
call :say_file preferences
set "value="
call :say ready
:commands
call :await
if errorlevel 1 exit /b 0
if "!verb!"=="again" (
call :export "!before!"
goto edit_ready
)
if "!verb!"=="file" call :new_file
if "!verb!"=="line" call :new_line
if "!verb!"=="file" goto commands
if "!verb!"=="line" goto commands
if not "!verb!"=="go" exit /b 0
call :arm
if "!was!"=="running" goto stop_it
call :at_rest
if errorlevel 1 call :fail moving
call :enter resting
goto is_stopped
:stop_it
call :enter stopping
call :stop_server
if errorlevel 2 (
call :enter idle
call :fail stop-failed
)
if errorlevel 1 call :fail stop-timeout
call :enter stopped
:is_stopped
call :export "!after!"
set "file=!after!"
if errorlevel 1 set "file=!before!"
call :say_file stopped
:stopped_commands
call :await_turn
if errorlevel 1 goto not_written
if "!verb!"=="file" call :new_file
if "!verb!"=="line" call :new_line
if "!verb!"=="file" goto stopped_commands
if "!verb!"=="line" goto stopped_commands
if "!verb!"=="write" set "good=!after!"
if "!verb!"=="wrote" set "good=!after!"
if "!verb!"=="write" goto write_it
if "!verb!"=="write-from-before" goto write_it
if "!verb!"=="wrote" goto written_there
if "!verb!"=="native" (
call :enter writing
set "value="
call :say more
goto stopped_commands
)
goto not_written
:write_it
call :enter writing
if "!verb!"=="write-from-before" call :import "!before!"
if not errorlevel 1 call :import changes.reg
if not errorlevel 1 goto written_there
set "value=the new preferences could not be put in place: !detail!"
call :say note
call :restore
goto not_written
:written_there
set "written=yes"
call :enter stopped
set "outcome=left"
if not "!was!"=="running" goto say_started
set "outcome=yes"
call :start_server
if errorlevel 1 goto say_failed
call :enter started
goto say_started
:not_written
set "outcome=kept"
set "done=yes"
if "!stage!"=="writing" call :restore
call :bring_back
if errorlevel 1 goto say_failed
if "!was!"=="running" call :enter started
goto say_started
:say_failed
set "outcome=failed !detail!"
:say_started
set "value=!outcome!"
call :say started
set "value=!before!"
call :say copy_before
set "value=!after!"
call :say copy_after
:verify
call :await_turn
if errorlevel 1 exit /b 0
if "!verb!"=="check" goto check
if "!verb!"=="revert" goto revert
set "done=yes"
call :prune
exit /b 0
:check
call :export now.reg
set "file=now.reg"
call :say_file preferences
del now.reg
goto verify
:revert
set "value=yes"
call :put_back
if errorlevel 1 set "value=no !detail!"
call :say reverted
set "done=yes"
goto verify
:new_file
set "lines=!argument!.reg"
if exist "!lines!" del "!lines!"
>>"!lines!" echo Windows Registry Editor Version 5.00
>>"!lines!" echo.
>>"!lines!" echo [!key!]
set "value="
call :say more
exit /b 0
:new_line
>>"!lines!" echo.!argument!
set "value="
call :say more
exit /b 0
