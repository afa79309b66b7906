// What API Management gives a policy's expressions: its documented context and no more, so that nothing else compiles.
// Source: learn.microsoft.com/azure/api-management/api-management-policy-expressions, Context variable.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;
using System.Text.RegularExpressions;

public sealed class Jwt {
    public string Subject { get; set; }
    public IReadOnlyDictionary<string, string[]> Claims { get; set; }
}
public sealed class RequestContext {
    public string IpAddress { get; set; }
    public IReadOnlyDictionary<string, string[]> Headers { get; set; }
}
public sealed class OperationContext { public string Id { get; set; } }
public sealed class SubscriptionContext { public string Id { get; set; } }
public sealed class Context {
    public RequestContext Request { get; set; }
    public OperationContext Operation { get; set; }
    public SubscriptionContext Subscription { get; set; }
    public IReadOnlyDictionary<string, object> Variables { get; set; }
}
public static class Documented {
    // Values of a header or of a claim, separated by commas; the default where there is none.
    public static string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> all, string name, string otherwise) {
        string[] found;
        return all.TryGetValue(name, out found) ? string.Join(",", found) : otherwise;
    }
}
public static class Harness {
    static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields()
        .Select(each => (OpCode)each.GetValue(null)).ToDictionary(each => each.Value);

    // A case a line of the input: which expression, and the request; then every member that the expressions call.
    public static void Run(Type expressions, int count) {
        var all = Enumerable.Range(0, count).Select(number => (Func<Context, object>)Delegate.CreateDelegate(
            typeof(Func<Context, object>), expressions.GetMethod("E" + number))).ToArray();
        for (string line; (line = Console.In.ReadLine()) != null;) {
            var fields = line.Split('\t');
            Console.WriteLine(Said(all[int.Parse(fields[0])], Told(fields)) ?? "null");
        }
        TellCalls(expressions);
    }
    static object Said(Func<Context, object> expression, Context context) {
        try { return expression(context); } catch (Exception error) { return "throws " + error.GetType().Name; }
    }
    static Context Told(string[] fields) {
        return new Context {
            Operation = new OperationContext { Id = fields[1] },
            Request = new RequestContext { IpAddress = fields[2], Headers = Named(fields[5]) },
            Subscription = new SubscriptionContext { Id = fields[4] },
            Variables = new Dictionary<string, object> {
                { "token", new Jwt { Subject = fields[3], Claims = Named(fields[6]) } } },
        };
    }
    static Dictionary<string, string[]> Named(string text) {
        return text.Split(new[] { '\x1e' }, StringSplitOptions.RemoveEmptyEntries).Select(each => each.Split('\x1f'))
            .ToDictionary(each => each[0], each => each.Skip(1).ToArray(), StringComparer.OrdinalIgnoreCase);
    }
    // "System.String.Split"; lambdas lie in nested types.
    static void TellCalls(Type expressions) {
        const BindingFlags all = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic
            | BindingFlags.DeclaredOnly;
        var types = new[] { expressions }.Concat(expressions.GetNestedTypes(BindingFlags.NonPublic | BindingFlags.Public));
        var called = types.SelectMany(type => type.GetMethods(all)).SelectMany(Calls).Distinct();
        foreach (var each in called.Where(each => !each.DeclaringType.FullName.StartsWith(expressions.FullName)))
            Console.WriteLine((each.DeclaringType.IsGenericType ? each.DeclaringType.GetGenericTypeDefinition()
                : each.DeclaringType).FullName + "." + each.Name);
    }
    static IEnumerable<MethodBase> Calls(MethodInfo method) {
        var code = method.GetMethodBody().GetILAsByteArray();
        for (var at = 0; at < code.Length;) {
            var one = code[at++];
            var op = Codes[one == 0xFE ? unchecked((short)(0xFE00 | code[at++])) : one];
            if (op.OperandType == OperandType.InlineMethod)
                yield return method.Module.ResolveMethod(BitConverter.ToInt32(code, at));
            at += Size(op.OperandType, code, at);
        }
    }
    static int Size(OperandType operand, byte[] code, int at) {
        switch (operand) {
            case OperandType.InlineNone: return 0;
            case OperandType.ShortInlineBrTarget: case OperandType.ShortInlineI: case OperandType.ShortInlineVar: return 1;
            case OperandType.InlineVar: return 2;
            case OperandType.InlineI8: case OperandType.InlineR: return 8;
            case OperandType.InlineSwitch: return 4 + 4 * BitConverter.ToInt32(code, at);
            default: return 4;
        }
    }
}
