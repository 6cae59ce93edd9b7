using System.CommandLine;
using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune completion: a script for a shell, which asks the tool what may follow.</summary>
internal static class CompletionCommand
{
    /// <summary>
    /// Each hands the line up to the cursor to the directive <c>[suggest]</c> of System.CommandLine, which answers a line each; where that has none, files
    /// follow.
    /// </summary>
    private static readonly Dictionary<string, string> s_scripts = new()
    {
        ["bash"] = """
            # eval "$(mlnet-prune completion bash)", for instance in ~/.bashrc
            _mlnet_prune() {
                local IFS=$'\n' line="${COMP_LINE:0:COMP_POINT}"
                COMPREPLY=($(compgen -W "$(mlnet-prune "[suggest:${#line}]" "$line" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _mlnet_prune mlnet-prune
            """,
        ["zsh"] = """
            # eval "$(mlnet-prune completion zsh)", for instance in ~/.zshrc behind compinit
            _mlnet_prune() {
                local line="$LBUFFER"
                local -a found=("${(@f)$(mlnet-prune "[suggest:${#line}]" "$line" 2>/dev/null)}")
                [[ -n "${found[*]}" ]] && compadd -a found || _files
            }
            compdef _mlnet_prune mlnet-prune
            """,
        ["fish"] = """
            # mlnet-prune completion fish | source, for instance in ~/.config/fish/config.fish
            complete -c mlnet-prune -a '(set -l line (commandline -cp); mlnet-prune "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'
            """,
        ["pwsh"] = """
            # mlnet-prune completion pwsh | Out-String | Invoke-Expression, for instance in $PROFILE
            Register-ArgumentCompleter -Native -CommandName mlnet-prune -ScriptBlock {
                param($word, $ast, $position)
                $line = $ast.ToString().PadRight($position).Substring(0, $position)
                mlnet-prune "[suggest:$position]" "$line" | Where-Object { $_ -like "$word*" } | ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
                }
            }
            """,
    };

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "The shell." }.AcceptOnlyFromAmong([.. s_scripts.Keys]);
        var command = new Command("completion", "A script with which a shell completes commands, options and their values.") { shell };
        command.SetAnswer(arguments => new Completion(arguments.GetRequiredValue(shell), s_scripts[arguments.GetRequiredValue(shell)]));
        return command;
    }
}

/// <summary>The script of a shell.</summary>
/// <param name="Shell">Its name.</param>
/// <param name="Script">What it runs.</param>
internal sealed record Completion(string Shell, string Script) : Answer
{
    public override void Print(IAnsiConsole console) => Console.Out.WriteLine(Script);
}
