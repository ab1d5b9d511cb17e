rem How it ends, whoever is left to end it.
rem
rem enter STAGE: idle, then stopping, stopped, writing and started, or resting for a server that did
rem not run. The guard reads it.
:enter
set "stage=%1"
>stage.txt echo %1
exit /b 0
rem bring_back: the server runs again, with whole preferences.
:bring_back
call :whole
if errorlevel 1 call :restore
if not "!was!"=="running" exit /b 0
call :start_server
exit /b !errorlevel!
rem put_back: what was there before, and the server runs.
:put_back
if not "!was!"=="running" goto put_it_back
call :stop_server
if errorlevel 1 exit /b 1
call :enter stopped
:put_it_back
call :restore
if errorlevel 1 exit /b 1
if not "!was!"=="running" exit /b 0
call :start_server
if errorlevel 1 exit /b 1
call :enter started
exit /b 0
rem settle: the far side went away after the start. A server that dies at once with the new
rem preferences gets the old ones back.
:settle
set "settling=0"
:settle_more
call :nap
call :service_state
if "!state!"=="stopped" goto put_back
set /a settling=settling+1
if !settling! lss 3 goto settle_more
exit /b 0
rem linger: the server did not stop in time and is left alone; but if it stops late, it must not
rem stay down.
:linger
set "lingering=0"
:linger_more
call :at_rest
if not errorlevel 1 goto bring_back
set /a lingering=lingering+1
if !lingering! geq !p_linger! exit /b 0
call :nap
goto linger_more
rem arm: the guard is there before anything is stopped. It reads what was found from found.txt.
:arm
call :enter idle
>found.txt echo key=!key!
>>found.txt echo manager=!manager!
>>found.txt echo unit=!unit!
>>found.txt echo exe=!exe!
>>found.txt echo own=!own!
>>found.txt echo was=!was!
>>found.txt echo machine_id=!machine_id!
>>found.txt echo before=!before!
>>found.txt echo after=!after!
>>found.txt echo good=!before!
>>found.txt echo guard_lock=!guard_lock!
>>found.txt echo lock_file=!lock_file!
>>found.txt echo batch_id=!batch_id!
call :detached guard
set "naps=0"
:arming
if exist guarded goto armed
set /a naps=naps+1
if !naps! gtr 20 (
set "detail=no second process could be started that would bring the server back"
call :fail unguarded
)
call :nap
goto arming
:armed
set "guarded=1"
exit /b 0
rem await_turn: the next command, while the guard counts the time. Who renames turn has the turn: a
rem line that comes when the guard has taken over is not followed any more.
:await_turn
>turn echo !stage!
call :await
set "waited=!errorlevel!"
ren turn turn.main >nul 2>nul
if not exist turn.main goto taken_over
del turn.main
exit /b !waited!
:taken_over
rem The guard has it; it also clears away.
exit
rem leave: clears away, and ends. Where there is a guard, the directory is its to remove: nobody can
rem while it is the directory of a process.
:leave
if "!stage!"=="stopping" call :linger
if "!stage!"=="stopped" call :bring_back
if "!stage!"=="writing" call :restore
if "!stage!"=="writing" call :bring_back
if "!stage!"=="resting" if not defined written call :bring_back
if "!stage!"=="started" if not defined done call :settle
:clear
if "!stage!"=="idle" if defined before (
del "!before!"
del "!after!"
)
if defined locked del "!lock_file!.holder"
if exist changes.reg del changes.reg
set "value="
if defined guarded (
>over echo x
call :say over
cd /d "!SystemRoot!"
exit 0
)
call :say over
cd /d "!SystemRoot!" & rmdir /s /q "!batch_dir!" >nul 2>nul & exit 0
